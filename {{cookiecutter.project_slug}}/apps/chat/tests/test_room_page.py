"""A room's page: its last messages, and those before."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from apps.chat.models import Message, Room
from apps.chat.views import PAGE
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


def numbers(response: Any) -> list[int]:
    """The numbers of the messages on a page, from top to bottom."""
    found = re.findall(r'data-number="(\d+)"', response.content.decode())
    return [int(number) for number in found]


def test_the_last_messages_are_shown_the_newest_at_the_bottom(
    client: Client, lobby: Room, ada: User
) -> None:
    fill(lobby, ada, PAGE + 7)

    response = client.get(lobby.get_absolute_url())

    assert numbers(response) == list(range(8, PAGE + 8))
    assertContains(response, 'href="?before=8"')


def test_earlier_messages_come_page_by_page(
    client: Client, lobby: Room, ada: User
) -> None:
    fill(lobby, ada, 2 * PAGE + 1)
    url = lobby.get_absolute_url()

    middle = client.get(url, {"before": PAGE + 2})
    assert numbers(middle) == list(range(2, PAGE + 2))
    assertContains(middle, 'href="?before=2"')

    first = client.get(url, {"before": 2})
    assert numbers(first) == [1]
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


@pytest.mark.parametrize("count", [0, 1, PAGE])
def test_where_everything_is_shown_nothing_earlier_is_offered(
    client: Client, lobby: Room, ada: User, count: int
) -> None:
    fill(lobby, ada, count)

    response = client.get(lobby.get_absolute_url())

    assert len(numbers(response)) == count
    assertNotContains(response, "?before=")


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        ("", [1, 2, 3]),
        ("0", []),
        ("1", []),
        ("3", [1, 2]),
        ("003", [1, 2]),
        ("٣", [1, 2]),
        ("²", [1, 2, 3]),
        ("-1", [1, 2, 3]),
        ("1.5", [1, 2, 3]),
        ("1; DROP TABLE", [1, 2, 3]),
        ("\0", [1, 2, 3]),
        ("9" * 18, [1, 2, 3]),
        ("9" * 19, [1, 2, 3]),
        ("9" * 100, [1, 2, 3]),
        ("9" * 10_000, [1, 2, 3]),
    ],
    ids=lambda value: f"{value!a:.20}",
)
def test_any_text_may_stand_where_the_number_should(
    client: Client, lobby: Room, ada: User, before: str, shown: list[int]
) -> None:
    fill(lobby, ada, 3)

    response = client.get(lobby.get_absolute_url(), {"before": before})

    assert response.status_code == 200
    assert numbers(response) == shown


def test_other_rooms_are_not_mixed_in(
    client: Client, lobby: Room, attic: Room, ada: User
) -> None:
    fill(attic, ada, 3)

    assert numbers(client.get(lobby.get_absolute_url())) == []


def test_a_page_costs_few_queries_however_many_messages(
    client: Client,
    lobby: Room,
    ada: User,
    bob: User,
    django_assert_max_num_queries: Any,
) -> None:
    fill(lobby, ada, PAGE)

    # Session, user, room, messages with their authors, and two for who is here.
    with django_assert_max_num_queries(6):
        client.get(lobby.get_absolute_url())


@pytest.mark.parametrize("slug", ["nowhere", "a b", "a%00b", "\u65e5", "x" * 1000])
@pytest.mark.parametrize("page", ["", "messages/", "members/add/", "members/remove/"])
def test_an_unknown_room_is_not_found(client: Client, slug: str, page: str) -> None:
    url = reverse("chat:index") + f"{slug}/{page}"

    response = client.post(url) if page else client.get(url)

    assert response.status_code == 404
