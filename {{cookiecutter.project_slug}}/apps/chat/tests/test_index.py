"""The page that lists rooms and creates them."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from apps.chat.models import Room
from apps.users.models import User

pytestmark = pytest.mark.django_db

INDEX = reverse("chat:index")


@pytest.fixture
def client(ada: User) -> Client:
    """Ada's browser."""
    client = Client()
    client.force_login(ada)
    return client


def test_the_rooms_are_for_those_who_are_logged_in(lobby: Room) -> None:
    login = reverse("account_login")

    for response in (Client().get(INDEX), Client().post(INDEX, {"name": "New"})):
        assertRedirects(response, f"{login}?next={INDEX}")

    assert list(Room.objects.all()) == [lobby]


def test_rooms_are_listed_with_a_link(client: Client, lobby: Room, attic: Room) -> None:
    response = client.get(INDEX)

    assertContains(response, f'href="{lobby.get_absolute_url()}"')
    assertContains(response, f'href="{attic.get_absolute_url()}"')


def test_private_rooms_of_others_are_not_listed(lobby: Room, attic: Room) -> None:
    client = Client()
    client.force_login(User.objects.create_user("eve"))

    response = client.get(INDEX)

    assertContains(response, "Lobby")
    assertNotContains(response, "Attic")


def test_without_a_room_the_page_says_what_to_do(client: Client) -> None:
    assertContains(client.get(INDEX), "No room yet")


def test_a_name_leads_into_its_new_room(client: Client, ada: User) -> None:
    response = client.post(INDEX, {"name": "Engine room"})

    assertRedirects(response, reverse("chat:room", args=["engine-room"]))
    assert Room.objects.get().creator == ada


def test_a_room_can_be_made_private(client: Client, ada: User) -> None:
    client.post(INDEX, {"name": "Attic", "is_private": "on"})

    room = Room.objects.get()
    assert room.is_private
    assert list(room.members.all()) == [ada]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "This field is required"),
        ("?!", "needs a letter or a digit"),
        ("x" * 61, "at most 60 characters"),
        ("a\0b", "Null characters are not allowed"),
    ],
)
def test_a_bad_name_is_told(client: Client, name: str, sentence: str) -> None:
    response = client.post(INDEX, {"name": name})

    assertContains(response, sentence)
    assert not Room.objects.exists()


def test_a_private_room_of_others_stays_closed(client: Client) -> None:
    client.post(INDEX, {"name": "Attic", "is_private": "on"})
    others = Client()
    others.force_login(User.objects.create_user("eve"))

    # As if it were not there.
    response = others.post(INDEX, {"name": "Attic"})
    assertRedirects(response, reverse("chat:room", args=["attic"]))


def test_the_name_of_a_room_is_text_and_no_markup(client: Client) -> None:
    client.post(INDEX, {"name": "<script>alert(1)</script>"})

    response = client.get(INDEX)

    assertContains(response, "&lt;script&gt;alert(1)")
    assertNotContains(response, "<script>alert")
