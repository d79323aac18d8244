"""Who is shown what changes: those who may see it by now."""

import asyncio
from itertools import batched
from typing import Any
from unittest.mock import ANY

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.auth.models import Group
from django.db import OperationalError
from pytest_django import DjangoAssertNumQueries

from channels_live import CloseCode
from channels_live.live.names import owner
from channels_live.live.pages import show
from channels_live.live.place import Place
from channels_live.live.rendering import answer
from channels_live.process import get_process
from channels_live.testing import WAIT, open_live, open_socket
from tests.library.helpers.browsing import closing_code
from tests.library.live.regions import (
    Card,
    Member,
    Shared,
    Staff,
    Text,
    User,
    reads,
)
from tests.library.live.test_sockets import SOCKET, sign, watch

pytestmark = pytest.mark.django_db(transaction=True)


async def test_who_loses_a_right_in_the_same_moment_is_shown_nothing_more(
    ada: Any,
) -> None:
    await User.objects.filter(pk=ada.pk).aupdate(is_staff=True)
    async with open_live(ada, Staff, 1) as page:
        assert page.html
        await User.objects.filter(pk=ada.pk).aupdate(is_staff=False)  # without signals
        await sync_to_async(Staff.changed)(1)

        assert set(await page.receive()) == {"gone"}


async def test_who_loses_a_right_while_it_is_read_is_shown_nothing_more(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_context(self: Staff, key: Any) -> dict[str, Any]:
        User.objects.filter(pk=ada.pk).update(is_staff=False)
        return {"text": "secret"}

    await User.objects.filter(pk=ada.pk).aupdate(is_staff=True)
    async with open_live(ada, Staff, 1) as page:
        monkeypatch.setattr(Staff, "get_context", get_context)
        await sync_to_async(Staff.changed)(1)

        assert set(await page.receive()) == {"gone"}


async def test_who_is_a_member_no_more_is_shown_nothing_more(ada: Any) -> None:
    group = await Group.objects.acreate(name="editors")
    member = await LogEntry.objects.acreate(
        user=ada, object_id=str(group.pk), action_flag=ADDITION
    )
    async with open_live(ada, Shared, group.pk) as page:
        group.name = "authors"
        await group.asave()
        await page.shows("authors")
        await member.adelete()

        assert set(await page.receive()) == {"gone"}


async def test_who_is_active_no_more_is_shown_nothing_more(ada: Any) -> None:
    async with open_live(ada, Text, 1) as page:
        await User.objects.filter(pk=ada.pk).aupdate(is_active=False)
        await sync_to_async(Text.changed)(1)

        assert set(await page.receive()) == {"gone"}


def test_users_are_read_together_and_their_groups_anew(
    ada: Any,
    bob: Any,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    asked: Any = {key: {ada.pk, bob.pk, None} for key in range(3)}
    with django_assert_num_queries(1):
        _, rights = answer(Text, Place.of_page(Text, 1).setting, [], asked)
    assert {key: {*one} for key, one in rights.items()} == asked

    monkeypatch.setattr(
        Text, "allows", lambda self, user, key: user.groups.filter(pk=key).exists()
    )
    editors = Group.objects.create(name="editors")
    editors.user_set.add(bob)
    asked = {editors.pk: {ada.pk, bob.pk}}
    _, rights = answer(Text, Place.of_page(Text, 1).setting, [], asked)
    assert rights == {editors.pk: {bob.pk: True}}


async def test_who_cannot_be_asked_for_is_denied_and_others_go_on(
    ada: Any,
    bob: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def allows(self: Card, user: Any, key: Any) -> bool:
        if user.pk == bob.pk:
            raise RuntimeError("not thought of")
        return True

    async with (
        open_live(ada, Card, ada.pk) as adas,
        open_live(bob, Card, ada.pk) as bobs,
        open_live(bob, Card, ada.pk) as others,
    ):
        monkeypatch.setattr(Card, "allows", allows)
        for name in ("Ida", "Eda"):
            await User.objects.filter(pk=ada.pk).aupdate(first_name=name)
            await sync_to_async(Card.changed)(ada.pk)
            await adas.shows(name)

        assert set(await bobs.receive()) == {"gone"}
        assert set(await others.receive()) == {"gone"}
    (error,) = (record for record in caplog.records if record.exc_info)
    assert "tests.Card with the key" in error.getMessage()
    assert "do not see the region" in error.getMessage()


async def test_who_was_asked_about_in_vain_is_shown_it_once_that_works(
    ada: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def allows(self: Text, user: Any, key: Any) -> bool:
        raise RuntimeError("not thought of")

    async with open_live(ada, Text, 1) as page:
        with monkeypatch.context() as broken:
            broken.setattr(Text, "allows", allows)
            for _ in range(2):
                await get_process().check_sockets()
                assert set(await page.receive()) == {"gone"}
        await get_process().check_sockets()

        await page.shows("x")
    (error,) = (record for record in caplog.records if record.exc_info)
    assert "tests.Text with the key 1 fails" in error.getMessage()


async def test_after_an_outage_during_a_recheck_nothing_is_shown(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_revoked(sockets: object) -> None:
        raise OperationalError("the connection is lost")

    async with open_live(ada, Text, 1) as page:
        monkeypatch.setattr("channels_live.revocation.find_revoked", find_revoked)
        process = get_process()
        await process.recheck(list(process.sockets))

        assert await closing_code(page.socket) == CloseCode.SERVICE_RESTART


def make_groups(ada: Any) -> list[Any]:
    """Return a hundred groups, of which a user is a member of every other."""
    groups = Group.objects.bulk_create(Group(name=f"G{n}") for n in range(100))
    ada.groups.add(*groups[::2])
    return [group.pk for group in groups]


def test_a_hundred_rows_with_rights_of_their_own_cost_few_queries(
    ada: Any, bob: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys = make_groups(ada)
    with django_assert_num_queries(2):
        assert [*show(Member, keys, ada)] == keys[::2]

    asked: Any = {key: {ada.pk, bob.pk} for key in keys}
    with django_assert_num_queries(4):  # states, users, rights of each
        states, rights = answer(Member, Place.of_page(Member, 1).setting, keys, asked)
    assert [*states] == keys
    assert [key for key in keys if rights[key]] == keys[::2]
    assert {*map(str, rights.values())} == {str({ada.pk: True}), "{}"}


async def test_a_page_of_a_hundred_rows_asks_together(ada: Any) -> None:
    keys = await sync_to_async(make_groups)(ada)
    seen = keys[::2]
    async with open_socket(SOCKET, ada) as socket:
        for half in batched(keys, 50):
            names = [[sign(ada, Member, key), ""] for key in half]
            await socket.send_json_to({"watch": names})
        events = await receive(socket, 100)
        assert sum("html" in event for event in events) == 50
        assert len(reads) == 2  # fifty keys each

        await ada.groups.through.objects.filter(group__in=seen[:10]).adelete()
        await get_process().check_sockets()
        assert await receive(socket, 10) == [{"gone": ANY}] * 10
        assert len(reads) <= 4


async def receive(socket: WebsocketCommunicator, count: int) -> list[dict[str, Any]]:
    """Wait for so many events."""
    events: list[dict[str, Any]] = []
    while len(events) < count:
        events += await socket.receive_json_from(WAIT)
    assert len(events) == count
    return events


async def test_a_bug_outside_of_regions_is_logged_once(
    ada: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("channels_live.live.reader.RETRY_AFTER", 0.05)
    place = Place(Text, 1, "en", "/", "Mars/Olympus")
    async with open_socket(SOCKET, ada) as socket:
        await watch(socket, (place.sign(owner(ada, None)), ""))
        await asyncio.sleep(0.5)
        await get_process().check_sockets()

        assert await receive(socket, 2) == [{"gone": place.topic}] * 2
    (error,) = (record for record in caplog.records if record.exc_info)
    assert "Mars/Olympus" in str(error.exc_info)
