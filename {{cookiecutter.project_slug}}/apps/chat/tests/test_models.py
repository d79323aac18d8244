from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from apps.chat.models import Message, Room
from apps.chat.posting import post_message
from apps.users.models import User

pytestmark = pytest.mark.django_db


def add_message(room: Room, author: User | None, number: int, **fields: object) -> None:
    with transaction.atomic():
        Message.objects.create(
            room=room,
            author=author,
            number=number,
            text="hello",
            **{"client_id": uuid4(), **fields},
        )


def visible_to(user: User) -> list[str]:
    return [room.slug for room in Room.objects.visible_to(user)]


def test_a_private_room_is_visible_to_its_members_only(
    lobby: Room, attic: Room, ada: User, bob: User
) -> None:
    eve = User.objects.create_user("eve")

    assert visible_to(bob) == ["attic", "lobby"]
    assert visible_to(eve) == ["lobby"]


def test_a_room_with_many_members_is_listed_once(
    lobby: Room, attic: Room, ada: User, bob: User
) -> None:
    lobby.members.add(ada, bob)

    assert visible_to(ada) == ["attic", "lobby"]


def test_a_room_admits_everyone_and_a_private_room_its_members(
    lobby: Room, attic: Room, bob: User
) -> None:
    eve = User.objects.create_user("eve")

    assert lobby.admits(eve)
    assert attic.admits(bob)
    assert not attic.admits(eve)


def test_a_creator_who_is_no_member_is_not_admitted(attic: Room, ada: User) -> None:
    attic.members.remove(ada)

    assert not attic.admits(ada)


def test_a_number_is_given_once_in_a_room(lobby: Room, attic: Room, ada: User) -> None:
    add_message(lobby, ada, 1)
    add_message(attic, ada, 1)

    with pytest.raises(IntegrityError):
        add_message(lobby, ada, 1)


def test_a_client_id_is_stored_once_for_an_author_in_a_room(
    lobby: Room, attic: Room, ada: User, bob: User
) -> None:
    client_id = uuid4()
    add_message(lobby, ada, 1, client_id=client_id)
    add_message(lobby, bob, 2, client_id=client_id)
    add_message(attic, ada, 1, client_id=client_id)

    with pytest.raises(IntegrityError):
        add_message(lobby, ada, 3, client_id=client_id)


def test_what_someone_said_stays_when_they_are_deleted(
    lobby: Room, ada: User, bob: User
) -> None:
    add_message(lobby, bob, 1)

    bob.delete()

    assert lobby.messages.get().author is None


def test_a_room_outlives_its_creator_and_no_message_outlives_its_room(
    lobby: Room, ada: User
) -> None:
    add_message(lobby, ada, 1)
    ada.delete()
    lobby.refresh_from_db()
    assert lobby.creator is None

    lobby.delete()

    assert not Message.objects.exists()


def test_rooms_and_messages_say_what_they_are(lobby: Room, ada: User) -> None:
    assert str(lobby) == "Lobby"
    assert str(Message(room=lobby, author=ada, text="hello")) == "ada: hello"
    assert lobby.get_absolute_url().endswith("/lobby/")


def test_a_stale_room_is_saved_without_its_count(lobby: Room, ada: User) -> None:
    stale = Room.objects.get(pk=lobby.pk)
    post_message(lobby, ada, "hello")

    stale.name = "Foyer"
    stale.save()

    assert post_message(lobby, ada, "again").number == 2
    lobby.refresh_from_db()
    assert lobby.name == "Foyer"
