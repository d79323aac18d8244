"""Messages that are edited or deleted, on pages that are open and that come back."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from apps.chat.models import Message, Room
from apps.chat.posting import apost_message
from apps.chat.rendering import render_entry
from apps.chat.tests.conftest import Enter
from apps.chat.tests.tab import Tab
from apps.users.models import User
from channels_live import CATCH_UP, CloseCode, in_thread

pytestmark = pytest.mark.django_db(transaction=True)

# Messages in the room; the first is edited or deleted.
SAID = ("tpyo", "second", "third")


def edit(message: Message) -> None:
    message.text = "typo"
    message.save()


def delete(message: Message) -> None:
    message.delete()


def delete_in_bulk(message: Message) -> None:
    Message.objects.filter(pk=message.pk).delete()


def edit_in_admin(message: Message) -> None:
    url = reverse("admin:chat_message_change", args=[message.pk])
    administrator().post(url, {"text": "typo"})


def delete_by_action(message: Message) -> None:
    action = {"action": "delete_selected", "_selected_action": [message.pk]}
    url = reverse("admin:chat_message_changelist")
    administrator().post(url, {**action, "post": "yes"})


def administrator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


WAYS = [edit, delete, delete_in_bulk, edit_in_admin, delete_by_action]


@pytest.fixture
async def said(lobby: Room, ada: User) -> list[Message]:
    return [await apost_message(lobby, ada, text) for text in SAID]


async def what_is_left(message: Message) -> Message | None:
    return await Message.objects.select_related("author").filter(pk=message.pk).afirst()


@pytest.mark.parametrize("change", WAYS)
async def test_a_change_reaches_open_pages_and_those_that_come_back(
    lobby: Room,
    said: list[Message],
    ada: User,
    bob: User,
    enter: Enter,
    change: Callable[[Message], None],
) -> None:
    adas = await enter(ada, lobby, after=3)

    await in_thread(change)(said[0])

    shown = render_entry(4, 1, await what_is_left(said[0]))
    await adas.hears(shown)
    # Whose last message is newer, and whose is older.
    for after in (3, 0):
        bobs = await Tab.open(bob, "lobby", after=after)
        await bobs.hears(shown)
        assert "tpyo" not in bobs.heard
        assert ("third" in bobs.heard) is (after == 0)
        await bobs.leave()
    # It has had the change.
    bobs = await enter(bob, lobby, after=4)
    await bobs.say("hello")
    await bobs.hears("hello")
    assert shown not in bobs.heard


async def test_numbers_go_on_where_what_they_stood_for_is_deleted(
    lobby: Room, said: list[Message], ada: User
) -> None:
    await in_thread(delete)(said[2])

    message = await apost_message(lobby, ada, "next")

    assert message.number == 5


async def test_a_page_that_missed_too_many_changes_loads_anew(
    lobby: Room, said: list[Message], ada: User
) -> None:
    await in_thread(delete)(said[0])
    await Room.objects.filter(pk=lobby.pk).aupdate(last_number=4 + CATCH_UP)

    tab = await Tab.open(ada, "lobby", after=3)

    assert await tab.code() == CloseCode.OUTDATED
    await tab.leave()
    tab = await Tab.open(ada, "lobby", after=4)
    await tab.is_in()
    await tab.leave()


async def test_a_page_knows_the_changes_that_it_was_loaded_with(
    lobby: Room, said: list[Message], ada: User
) -> None:
    await in_thread(delete)(said[0])
    client = Client()
    await in_thread(client.force_login)(ada)

    page = await in_thread(client.get)(lobby.get_absolute_url())

    assert 'data-last="4"' in page.text


async def test_a_change_that_was_lost_is_no_other_message(
    lobby: Room, said: list[Message], ada: User
) -> None:
    """The database went back to three messages, and has a fourth since."""
    await apost_message(lobby, ada, "fourth")

    tab = await Tab.open(ada, "lobby", after=f"4&shown=3&id={said[2].client_id}")

    assert await tab.code() == CloseCode.OUTDATED
    await tab.leave()
