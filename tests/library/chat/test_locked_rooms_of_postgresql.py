"""Rows that somebody locks, while people post into their rooms and into others."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from pytest_django import Settings

from apps.chat import posting
from apps.chat.insert import PATIENCE, Draft
from apps.chat.models import Message, Room
from apps.chat.posting import apost_message
from apps.chat.storing import Busy, Outcome, store_drafts
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


@pytest.mark.parametrize("drafts", [1, 2])
@pytest.mark.parametrize("lock_first", [True, False])
async def test_whoever_is_removed_while_a_post_waits_writes_no_more(
    attic: Room, ada: User, bob: User, drafts: int, lock_first: bool
) -> None:
    removed, until = Event(), Event()

    @in_thread
    def remove() -> None:
        with transaction.atomic():
            if lock_first:
                Room.objects.select_for_update().get(pk=attic.pk)
            attic.members.remove(bob)
            removed.set()
            assert until.wait(LONG)

    authors = [bob, ada][:drafts]
    posted = [Draft(attic, author, "hello", uuid4()) for author in authors]
    removal = asyncio.create_task(remove())
    await asyncio.to_thread(removed.wait, WAIT)
    post = asyncio.create_task(in_thread(store_drafts)(posted))
    await asyncio.sleep(0.2)
    assert not post.done()
    until.set()
    await removal

    outcomes = await post
    assert "Only members" in str(outcomes[posted[0]])
    assert all(isinstance(outcomes[draft], Message) for draft in posted[1:])
    numbers = attic.messages.values_list("number", flat=True)
    assert [number async for number in numbers] == [1] * (drafts - 1)


async def test_a_private_room_numbers_what_many_say_at_once(
    attic: Room, ada: User, bob: User
) -> None:
    @in_thread
    def say(*authors: User) -> None:
        drafts = [Draft(attic, author, "hello", uuid4()) for author in authors]
        outcomes = store_drafts(drafts).values()
        assert all(isinstance(outcome, Message) for outcome in outcomes)

    await asyncio.gather(*(say(*authors) for authors in [(ada, bob), (bob,)] * 20))

    numbers = attic.messages.values_list("number", flat=True)
    assert [number async for number in numbers] == [*range(1, 61)]


@pytest.mark.parametrize("patience", [0, 50])
async def test_a_locked_membership_is_waited_for_no_longer_than_a_room(
    attic: Room, ada: User, patience: int
) -> None:
    locked, until = Event(), Event()
    members = Room.members.through.objects.filter(room=attic)
    holder = asyncio.create_task(lock(members, locked, until))
    await asyncio.to_thread(locked.wait, WAIT)

    draft = Draft(attic, ada, "hello", uuid4())
    async with asyncio.timeout(2):
        outcomes = await in_thread(store_drafts)([draft], patience)
    until.set()
    await holder

    assert isinstance(outcomes[draft], Busy)


async def test_the_lock_of_one_author_refuses_no_others(
    lobby: Room, ada: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "LIMIT", 1)
    locked, until = Event(), Event()
    holder = asyncio.create_task(lock(User.objects.filter(pk=bob.pk), locked, until))
    await asyncio.to_thread(locked.wait, WAIT)

    outcomes = await asyncio.gather(
        *(apost_message(lobby, author, "hello") for author in (ada, bob, ada)),
        return_exceptions=True,
    )
    until.set()
    await holder

    assert [isinstance(outcome, Busy) for outcome in outcomes] == [False, True, False]


@pytest.mark.parametrize("what", ["room", "author"])
async def test_what_is_deleted_gets_no_post_meanwhile(
    lobby: Room, bob: User, what: str
) -> None:
    await apost_message(lobby, bob, "before")
    deleted, table = (lobby, "chat_room") if what == "room" else (bob, "users_user")
    posted: list[object] = []

    def post_meanwhile(execute: Any, sql: str, *args: Any) -> Any:
        if sql.split()[:3] == ["DELETE", "FROM", f'"{table}"']:
            draft = Draft(lobby, bob, "meanwhile", uuid4())
            with ThreadPoolExecutor() as other:
                posted.append(other.submit(run_post, draft).result()[draft])
        return execute(sql, *args)

    def run_post(draft: Draft) -> dict[Draft, Outcome]:
        try:
            return store_drafts([draft], 1)
        finally:
            connection.close()

    @in_thread
    def delete() -> None:
        with connection.execute_wrapper(post_meanwhile):
            deleted.delete()

    await delete()

    assert [type(outcome) for outcome in posted] == [Busy]


async def test_the_victim_of_a_deadlock_is_told_that_the_room_is_locked(
    attic: Room, bob: User
) -> None:
    locked, until = Event(), Event()

    @in_thread
    def remove() -> None:
        with transaction.atomic():
            Room.objects.select_for_update().get(pk=attic.pk)
            locked.set()
            assert until.wait(LONG)
            attic.members.remove(bob)

    removal = asyncio.create_task(remove())
    await asyncio.to_thread(locked.wait, WAIT)
    draft = Draft(attic, bob, "hello", uuid4())
    post = asyncio.create_task(in_thread(store_drafts)([draft]))
    await asyncio.sleep(0.3)
    until.set()

    await removal
    assert isinstance((await post)[draft], Busy)
