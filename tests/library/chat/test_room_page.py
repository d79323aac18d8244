"""URLs that no page of ours links to."""

import pytest
from django.test import Client
from django.urls import reverse

from apps.chat.models import Room
from apps.chat.tests.test_room_page import client, fill, numbers
from apps.users.models import User

__all__ = ["client"]

pytestmark = pytest.mark.django_db


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
    assert numbers(response.text) == shown


@pytest.mark.parametrize("slug", ["nowhere", "a b", "a%00b", "\u65e5", "x" * 1000])
@pytest.mark.parametrize("page", ["", "messages/", "members/add/", "members/remove/"])
def test_an_unknown_room_is_not_found(client: Client, slug: str, page: str) -> None:
    url = reverse("chat:index") + f"{slug}/{page}"

    response = client.post(url) if page else client.get(url)

    assert response.status_code == 404
