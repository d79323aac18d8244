"""Rows that somebody locks, while people post into their rooms and into others."""

import asyncio
from threading import Event

import pytest
from django.db import transaction
from django.db.models import Model, QuerySet

from apps.chat.models import Room
from apps.chat.posting import apost_message
from apps.chat.storing import PATIENCE
from apps.users.models import User
from channels_live import in_thread
from channels_live.testing import WAIT

ROOMS = 200  # at 50 ms each, five threads would wait for 2 s

pytestmark = pytest.mark.django_db(transaction=True)


@in_thread
def lock(rows: QuerySet[Model], locked: Event, until: Event) -> None:
    with transaction.atomic():
        list(rows.select_for_update())
        locked.set()
        assert until.wait(WAIT)


@pytest.mark.parametrize("what", ["rooms", "their authors"])
async def test_a_lock_holds_up_only_those_who_need_it(
    lobby: Room, ada: User, what: str
) -> None:
    pairs = [
        (
            await Room.objects.acreate(name=f"Room {n}", slug=f"room-{n}"),
            await User.objects.acreate_user(f"user-{n}"),
        )
        for n in range(ROOMS)
    ]
    rooms = Room.objects.exclude(pk=lobby.pk)
    rows = rooms if what == "rooms" else User.objects.exclude(pk=ada.pk)
    locked, until = Event(), Event()
    holder = asyncio.create_task(lock(rows, locked, until))
    await asyncio.to_thread(locked.wait, WAIT)

    held = [asyncio.create_task(apost_message(*pair, "hello")) for pair in pairs]
    for number in (1, 2, 3):
        async with asyncio.timeout(1.8):
            assert (await apost_message(lobby, ada, "free")).number == number
        await asyncio.sleep(PATIENCE / 1000)
    assert not any(post.done() for post in held)
    until.set()
    await holder

    assert [message.number for message in await asyncio.gather(*held)] == [1] * ROOMS
