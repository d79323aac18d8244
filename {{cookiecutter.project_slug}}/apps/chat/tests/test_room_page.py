"""The page of a room: its last messages, and those before."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from apps.chat.models import Message, Room
from apps.chat.views import MESSAGES
from apps.users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(bob: User) -> Client:
    """Bob's browser."""
    client = Client()
    client.force_login(bob)
    return client


def fill(room: Room, author: User, count: int) -> None:
    Message.objects.bulk_create(
        Message(
            room=room,
            author=author,
            number=number,
            client_id=uuid4(),
            text=f"message {number}",
        )
        for number in range(1, count + 1)
    )


def numbers(page: str) -> list[int]:
    """Return the numbers of the messages on a page, from top to bottom."""
    return [int(number) for number in re.findall(r'data-number="(\d+)"', page)]


def test_the_last_messages_are_shown_the_newest_at_the_bottom(
    client: Client, lobby: Room, ada: User
) -> None:
    fill(lobby, ada, MESSAGES + 7)

    response = client.get(lobby.get_absolute_url())

    assert numbers(response.text) == list(range(8, MESSAGES + 8))
    assertContains(response, 'href="?before=8"')


def test_earlier_messages_come_page_by_page(
    client: Client, lobby: Room, ada: User
) -> None:
    fill(lobby, ada, 2 * MESSAGES + 1)
    url = lobby.get_absolute_url()

    middle = client.get(url, {"before": MESSAGES + 2})
    assert numbers(middle.text) == list(range(2, MESSAGES + 2))
    assertContains(middle, 'href="?before=2"')

    first = client.get(url, {"before": 2})
    assert numbers(first.text) == [1]
    assertNotContains(first, "?before=")


def test_a_page_of_earlier_messages_opens_no_socket_and_takes_none(
    client: Client, lobby: Room, ada: User
) -> None:
    fill(lobby, ada, 2)
    socket = "/ws/chat/lobby/"

    now = client.get(lobby.get_absolute_url())
    assertContains(now, socket)
    assertContains(now, 'name="message"')

    earlier = client.get(lobby.get_absolute_url(), {"before": 2})
    assertNotContains(earlier, socket)
    assertNotContains(earlier, 'name="message"')


@pytest.mark.parametrize("count", [0, 1, MESSAGES])
def test_where_everything_is_shown_nothing_earlier_is_offered(
    client: Client, lobby: Room, ada: User, count: int
) -> None:
    fill(lobby, ada, count)

    response = client.get(lobby.get_absolute_url())

    assert len(numbers(response.text)) == count
    assertNotContains(response, "?before=")


def test_other_rooms_are_not_mixed_in(
    client: Client, lobby: Room, attic: Room, ada: User
) -> None:
    fill(attic, ada, 3)

    assert numbers(client.get(lobby.get_absolute_url()).text) == []


def test_a_page_costs_as_much_with_many_messages(
    client: Client, lobby: Room, ada: User
) -> None:
    loft = Room.objects.create(name="Loft", slug="loft", creator=ada)
    fill(loft, ada, 1)
    fill(lobby, ada, MESSAGES)
    with CaptureQueriesContext(connection) as many:
        client.get(lobby.get_absolute_url())
    with CaptureQueriesContext(connection) as few:
        client.get(loft.get_absolute_url())

    assert len(many) <= len(few)


def test_an_unknown_room_is_not_found(client: Client) -> None:
    assert client.get(reverse("chat:room", args=["nowhere"])).status_code == 404
