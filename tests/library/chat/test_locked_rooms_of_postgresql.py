"""Rows that somebody locks, while people post into their rooms and into others."""

import asyncio
import time
from threading import Event

import pytest
from django.db import transaction
from django.db.models import Model, QuerySet
from pytest_django import Settings

from apps.chat import posting
from apps.chat.models import Room
from apps.chat.posting import apost_message
from apps.chat.storing import PATIENCE
from apps.users.models import User
from channels_live import in_thread
from channels_live.testing import WAIT

ROOMS = 200
THREADS = 5
# For as long a lock is held, and tried, if the test does not end it.
LONG = 60

pytestmark = pytest.mark.django_db(transaction=True)


@in_thread
def lock(rows: QuerySet[Model], locked: Event, until: Event) -> None:
    with transaction.atomic():
        list(rows.select_for_update())
        locked.set()
        assert until.wait(LONG)


@pytest.mark.parametrize("what", ["rooms", "their authors"])
async def test_a_lock_holds_up_only_those_who_need_it(
    lobby: Room,
    ada: User,
    what: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "LIMIT", LONG)
    settings.CHAT_FLOOD_LIMIT = "1000 per second"
    pairs = [
        (
            await Room.objects.acreate(name=f"Room {n}", slug=f"room-{n}"),
            await User.objects.acreate_user(f"user-{n}"),
        )
        for n in range(ROOMS)
    ]
    rooms = Room.objects.exclude(pk=lobby.pk)
    rows = rooms if what == "rooms" else User.objects.exclude(pk=ada.pk)
    began = time.monotonic()
    for _ in range(20):
        await apost_message(lobby, ada, "before")
    usual = (time.monotonic() - began) / 20
    # Less than where threads wait for each lock, even if they do nothing else.
    limit = ROOMS * (PATIENCE / 1000 / THREADS + usual / 2) - 0.2
    locked, until = Event(), Event()
    holder = asyncio.create_task(lock(rows, locked, until))
    await asyncio.to_thread(locked.wait, WAIT)

    held = [asyncio.create_task(apost_message(*pair, "hello")) for pair in pairs]
    for number in (21, 22, 23):
        async with asyncio.timeout(limit):
            assert (await apost_message(lobby, ada, "free")).number == number
        await asyncio.sleep(PATIENCE / 1000)
    assert not any(post.done() for post in held)
    until.set()
    await holder

    assert [message.number for message in await asyncio.gather(*held)] == [1] * ROOMS
