"""What users in a room send each other through their sockets."""

from uuid import uuid4

import pytest
from django.db import connection

from apps.chat.models import MAX_MESSAGE, Message, Room
from apps.chat.rendering import render_error, render_typing
from apps.chat.tests.conftest import Enter
from apps.users.models import User
from channels_live import in_thread

EXPECTED_TEXT = 'Expected {"message": "…"} with a text in it.'
EXPECTED_UUID = "Expected a UUID as client_id."

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_message_arrives_for_everyone_in_the_room(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    adas, bobs, bobs_other = (
        await enter(ada, lobby),
        await enter(bob, lobby),
        await enter(bob, lobby),
    )

    await adas.say(" hello \r\n everybody ")

    await adas.hears("hello")
    message = await Message.objects.select_related("author").aget()
    assert (message.author, message.text) == (ada, "hello \n everybody")
    for tab in (adas, bobs, bobs_other):
        await tab.shows(message)


async def test_it_does_not_arrive_in_another_room(
    lobby: Room, attic: Room, ada: User, bob: User, enter: Enter
) -> None:
    in_the_lobby = await enter(bob, lobby)
    in_the_attic = await enter(bob, attic)

    await in_the_attic.say("secret")
    await in_the_attic.hears("secret")
    await in_the_lobby.say("public")
    await in_the_lobby.hears("public")

    assert "secret" not in in_the_lobby.heard
    assert "public" not in in_the_attic.heard


async def test_messages_arrive_in_the_order_of_their_numbers(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    adas, bobs = await enter(ada, lobby), await enter(bob, lobby)

    for number in range(5):
        await adas.say(f"<{number}>")
        await bobs.say(f"<{number}>")

    for tab in (adas, bobs):
        await tab.hears('id="message-10"')
        places = [tab.heard.index(f'id="message-{n}"') for n in range(1, 11)]
        assert places == sorted(places)


async def test_the_sender_recognizes_a_message_by_its_client_id(
    lobby: Room, ada: User, enter: Enter
) -> None:
    tab = await enter(ada, lobby)
    client_id = str(uuid4())

    await tab.say("hello", client_id=client_id)

    await tab.hears(f'data-client-id="{client_id}"')


async def test_what_is_sent_again_is_stored_and_shown_once(
    lobby: Room, ada: User, enter: Enter
) -> None:
    tab = await enter(ada, lobby)
    client_id = str(uuid4())

    for _ in range(3):
        await tab.say("again", client_id=client_id)
    await tab.say("next")

    await tab.hears("next")
    assert tab.heard.count("again") == 1
    assert await lobby.messages.acount() == 2


async def test_what_is_wrong_with_a_message_is_told_to_its_author_alone(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    adas, bobs = await enter(ada, lobby), await enter(bob, lobby)

    for text, sentence in (
        ("", "Write something first"),
        (" \r\n ", "Write something first"),
        ("x" * (MAX_MESSAGE + 1), "has 2001 characters; at most 2000 fit"),
        ("a\0b", "cannot be stored"),
    ):
        adas.frames.clear()
        client_id = str(uuid4())
        await adas.say(text, client_id=client_id)
        await adas.hears(sentence)
        assert f'data-client-id="{client_id}" data-retry="0"' in adas.heard

    await adas.say("good")
    await bobs.hears("good")
    assert 'role="alert"' not in bobs.heard


async def test_a_bad_frame_gets_one_sentence_and_the_socket_lives(
    lobby: Room, ada: User, enter: Enter
) -> None:
    tab = await enter(ada, lobby)
    frames: list[tuple[dict[str, object], str]] = [
        ({}, EXPECTED_TEXT),
        ({"message": 1}, EXPECTED_TEXT),
        ({"message": None}, EXPECTED_TEXT),
        ({"message": ["a"]}, EXPECTED_TEXT),
        ({"typing": False}, EXPECTED_TEXT),
        ({"message": "a", "client_id": "1"}, EXPECTED_UUID),
        ({"message": "a", "client_id": 1}, EXPECTED_UUID),
        ({"message": "a", "client_id": ""}, EXPECTED_UUID),
        ({"message": "a", "client_id": {}}, EXPECTED_UUID),
    ]

    for frame, _ in frames:
        await tab.send(frame)
    await tab.say("still here")

    await tab.hears("still here")
    errors = [render_error(sentence) for _, sentence in frames]
    assert [one for one in tab.frames if 'role="alert"' in one] == errors
    assert await lobby.messages.acount() == 1


async def test_typing_is_shown_and_not_stored(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    adas, bobs = await enter(ada, lobby), await enter(bob, lobby)

    await adas.send({"typing": True})

    await bobs.hears(render_typing(ada))
    assert not await lobby.messages.aexists()


async def test_typing_is_shown_ten_times_in_five_seconds_at_most(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    adas, bobs = await enter(ada, lobby), await enter(bob, lobby)

    for _ in range(30):
        await adas.send({"typing": True})
    await adas.say("enough")

    await bobs.hears("enough")
    assert bobs.heard.count(render_typing(ada)) == 10


async def test_posting_into_a_room_that_is_no_more_closes_the_socket(
    lobby: Room, ada: User, enter: Enter
) -> None:
    tab = await enter(ada, lobby)
    await in_thread(delete_silently)(lobby)

    await tab.say("hello?")

    assert await tab.code() == 4404


def delete_silently(room: Room) -> None:
    """Delete a room without the signal that closes its sockets."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM chat_room WHERE slug = %s", [room.slug])
