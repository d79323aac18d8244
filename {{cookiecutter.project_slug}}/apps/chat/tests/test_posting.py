"""How messages are checked, numbered, stored and shown."""

import asyncio
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.chat.flood import Flood
from apps.chat.models import MAX_MESSAGE, Message, Room
from apps.chat.posting import apost_message, post_message
from apps.chat.tests.conftest import LIMIT, Enter
from apps.users.models import User
from channels_live import in_thread

pytestmark = pytest.mark.django_db


def test_messages_are_numbered_in_each_room(
    lobby: Room, attic: Room, ada: User, bob: User
) -> None:
    posted = [
        post_message(lobby, ada, "one"),
        post_message(lobby, bob, "two"),
        post_message(attic, bob, "first"),
        post_message(lobby, ada, "three"),
    ]

    assert [message.number for message in posted] == [1, 2, 1, 3]
    lobby.refresh_from_db()
    assert lobby.last_number == 3


def test_a_message_that_fails_leaves_no_gap(lobby: Room, ada: User) -> None:
    with transaction.atomic():
        post_message(lobby, ada, "dropped")
        transaction.set_rollback(True)

    assert post_message(lobby, ada, "kept").number == 1


def test_counting_changes_nothing_else_of_a_room(lobby: Room, ada: User) -> None:
    lobby.members.add(ada)
    Room.objects.filter(pk=lobby.pk).update(name="Renamed", is_private=True)

    post_message(lobby, ada, "hello")

    lobby.refresh_from_db()
    assert (lobby.name, lobby.is_private, lobby.creator) == ("Renamed", True, ada)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("  hello \n", "hello"),
        ("one\r\ntwo\r\n\r\nthree", "one\ntwo\n\nthree"),
        ("👩‍🚀 é שלום", "👩‍🚀 é שלום"),
        ("x" * MAX_MESSAGE, "x" * MAX_MESSAGE),
        ("👩" * MAX_MESSAGE, "👩" * MAX_MESSAGE),
        (" " * MAX_MESSAGE + "x", "x"),
        ("x\r\n" * (MAX_MESSAGE // 2), ("x\n" * (MAX_MESSAGE // 2)).strip()),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
    ],
    ids=lambda text: f"{text[:12]!a}",
)
def test_a_text_is_stored_as_it_was_meant(
    lobby: Room, ada: User, text: str, stored: str
) -> None:
    message = post_message(lobby, ada, text)

    message.refresh_from_db()
    assert message.text == stored


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write something first"),
        (" \r\n\t\u00a0\u2003", "Write something first"),
        ("x" * (MAX_MESSAGE + 1), "has 2001 characters; at most 2000"),
        ("x\0y", "cannot be stored"),
        ("\ud83d", "cannot be stored"),
        ("hello \udc69", "cannot be stored"),
    ],
    ids=["empty", "blank", "long", "NUL", "high surrogate", "low surrogate"],
)
def test_a_text_that_is_no_good_is_told_and_not_counted(
    lobby: Room, ada: User, text: str, sentence: str
) -> None:
    for _ in range(LIMIT + 1):
        with pytest.raises(ValidationError, match=sentence):
            post_message(lobby, ada, text)

    assert post_message(lobby, ada, "hello").number == 1


def test_what_is_sent_twice_is_stored_once(lobby: Room, ada: User) -> None:
    client_id = uuid4()

    first = post_message(lobby, ada, "hello", client_id=client_id)
    again = post_message(lobby, ada, "hello", client_id=client_id)

    assert again == first
    assert post_message(lobby, ada, "next").number == 2


def test_another_text_of_the_same_client_id_is_another_message(
    lobby: Room, ada: User
) -> None:
    client_id = uuid4()

    first = post_message(lobby, ada, "hello", client_id=client_id)
    other = post_message(lobby, ada, "goodbye", client_id=client_id)
    again = post_message(lobby, ada, "goodbye", client_id=client_id)

    assert first != other == again
    assert [message.text for message in lobby.messages.all()] == ["hello", "goodbye"]


def test_a_room_that_turned_private_takes_messages_of_members_alone(
    lobby: Room, ada: User, bob: User
) -> None:
    Room.objects.get(pk=lobby.pk).members.add(ada)
    Room.objects.filter(pk=lobby.pk).update(is_private=True)

    with pytest.raises(ValidationError, match="Only members"):
        post_message(lobby, bob, "from outside")
    assert post_message(lobby, ada, "from inside").number == 1


@pytest.mark.django_db(transaction=True)
async def test_outsiders_do_not_keep_members_from_posting(
    lobby: Room, ada: User, bob: User
) -> None:
    await lobby.members.aadd(ada)
    await Room.objects.filter(pk=lobby.pk).aupdate(is_private=True)

    outcomes = await asyncio.gather(
        *(apost_message(lobby, author, "hello") for author in (ada, bob, ada, bob)),
        return_exceptions=True,
    )

    assert [isinstance(one, ValidationError) for one in outcomes] == [
        *(False, True, False, True)
    ]
    numbers = lobby.messages.values_list("number", flat=True)
    assert [number async for number in numbers] == [1, 2]


def test_two_people_may_choose_the_same_client_id(
    lobby: Room, ada: User, bob: User
) -> None:
    client_id = uuid4()

    post_message(lobby, ada, "from Ada", client_id=client_id)
    post_message(lobby, bob, "from Bob", client_id=client_id)

    assert [message.text for message in lobby.messages.all()] == [
        "from Ada",
        "from Bob",
    ]


def test_without_a_client_id_the_same_words_are_two_messages(
    lobby: Room, ada: User
) -> None:
    assert post_message(lobby, ada, "hello") != post_message(lobby, ada, "hello")


def test_too_much_at_once_is_a_flood(lobby: Room, attic: Room, ada: User) -> None:
    for _ in range(LIMIT // 2):
        post_message(lobby, ada, "hello")
        post_message(attic, ada, "hello")

    with pytest.raises(Flood, match="Slow down"):
        post_message(lobby, ada, "hello")

    assert Message.objects.count() == LIMIT


def test_a_flood_of_one_does_not_silence_another(
    lobby: Room, ada: User, bob: User
) -> None:
    for _ in range(LIMIT):
        post_message(lobby, ada, "hello")

    assert post_message(lobby, bob, "hello").number == LIMIT + 1


def test_in_a_room_that_was_deleted_meanwhile_nothing_is_stored(
    lobby: Room, ada: User
) -> None:
    Room.objects.filter(pk=lobby.pk).delete()

    with pytest.raises(Room.DoesNotExist):
        post_message(lobby, ada, "hello")

    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_a_message_is_shown_on_commit_and_never_after_a_rollback(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    tab = await enter(bob, lobby)

    kept = await in_thread(change_of_mind)(lobby, ada)

    await tab.shows(kept)
    assert "dropped" not in tab.heard


def change_of_mind(room: Room, author: User) -> Message:
    """Post a message and take it back, then post another."""
    with transaction.atomic():
        post_message(room, author, "dropped")
        transaction.set_rollback(True)
    return post_message(room, author, "kept")


@pytest.mark.django_db(transaction=True)
async def test_async_code_posts_too(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    tab = await enter(bob, lobby)

    message = await apost_message(lobby, ada, "hello")

    await tab.shows(message)
    assert await Message.objects.aget() == message


def test_an_error_of_the_database_is_not_said_to_be_of_the_account(
    lobby: Room, ada: User
) -> None:
    lobby.messages.create(author=ada, text="hi", number=1, client_id=uuid4())

    with pytest.raises(IntegrityError):
        post_message(lobby, ada, "also the first")
