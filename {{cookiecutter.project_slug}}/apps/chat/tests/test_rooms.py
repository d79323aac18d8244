"""How rooms are entered and created, and how their members are chosen."""

import pytest
from django.core.exceptions import ValidationError

from apps.chat.flood import Flood
from apps.chat.models import Room
from apps.chat.rooms import add_member, enter_room, remove_member
from apps.chat.tests.conftest import LIMIT
from apps.users.models import User

pytestmark = pytest.mark.django_db


def test_a_new_name_makes_a_room(ada: User) -> None:
    room = enter_room(ada, "  Ada's \n Engine  Room ")

    room.refresh_from_db()
    assert (room.name, room.slug) == ("Ada's Engine Room", "adas-engine-room")
    assert room.creator == ada
    assert not room.is_private
    assert not room.members.exists()


@pytest.mark.parametrize("name", ["Lobby", "lobby", "LOBBY!", " lobby "])
def test_a_name_that_reads_the_same_is_the_same_room(
    lobby: Room, bob: User, name: str
) -> None:
    assert enter_room(bob, name) == lobby
    assert enter_room(bob, name, is_private=True) == lobby

    lobby.refresh_from_db()
    assert (lobby.name, lobby.is_private) == ("Lobby", False)


@pytest.mark.parametrize("name", ["日本", "Café", "x" * 60])
def test_a_name_may_be_in_any_script(ada: User, name: str) -> None:
    assert enter_room(ada, name).name == name


@pytest.mark.parametrize("name", ["", "   ", "!?", "👩‍🚀", "…"])
def test_a_name_needs_a_letter_or_a_digit(ada: User, name: str) -> None:
    with pytest.raises(ValidationError, match="needs a letter or a digit"):
        enter_room(ada, name)

    assert not Room.objects.exists()


def test_a_name_that_is_too_long_makes_no_room(ada: User) -> None:
    with pytest.raises(ValidationError, match="at most 60"):
        enter_room(ada, "x" * 61)

    assert not Room.objects.exists()


def test_who_makes_many_rooms_is_stopped_and_may_enter_those_that_are(
    lobby: Room, ada: User, bob: User
) -> None:
    for number in range(LIMIT):
        enter_room(ada, f"Room {number}")

    with pytest.raises(Flood):
        enter_room(ada, "One too many")

    assert not Room.objects.filter(slug="one-too-many").exists()
    assert enter_room(ada, "Lobby") == lobby
    assert enter_room(bob, "One too many")


def test_who_makes_a_private_room_is_in_it(ada: User) -> None:
    room = enter_room(ada, "Attic", is_private=True)

    assert room.is_private
    assert room.admits(ada)


def test_a_private_room_keeps_its_name_from_nobody(ada: User, bob: User) -> None:
    attic = enter_room(ada, "Attic", is_private=True)

    other = enter_room(bob, "Attic")

    assert other != attic
    assert not attic.admits(bob)
    assert (other.slug, other.is_private) == ("attic", False)
    assert enter_room(ada, "Attic") == attic  # and not Bob's, where all can read


def test_a_room_that_became_private_is_not_entered(attic: Room) -> None:
    eve = User.objects.create_user("eve")

    other = enter_room(eve, "Attic")

    assert not attic.admits(eve)
    assert enter_room(eve, "Attic") == other != attic


def test_a_private_room_is_entered_by_its_members(ada: User, bob: User) -> None:
    attic = enter_room(ada, "Dächer", is_private=True)
    attic.members.add(bob)

    assert enter_room(bob, "DÄCHER!") == attic
    assert enter_room(bob, "Däch") != attic


def test_members_come_and_go(attic: Room, ada: User, bob: User) -> None:
    remove_member(attic, " bob ")
    assert not attic.admits(bob)

    add_member(attic, " bob ")
    add_member(attic, "bob")
    assert attic.admits(bob)
    assert attic.members.count() == 2


def test_the_creator_stays(attic: Room, ada: User) -> None:
    with pytest.raises(ValidationError, match="creator of a room stays"):
        remove_member(attic, "ada")

    assert attic.admits(ada)


@pytest.mark.parametrize("username", ["eve", "", "Bob", "bob\0"])
def test_who_does_not_exist_is_told(attic: Room, username: str) -> None:
    with pytest.raises(ValidationError, match="nobody called"):
        add_member(attic, username)
    with pytest.raises(ValidationError, match="nobody called"):
        remove_member(attic, username)

    assert attic.members.count() == 2
