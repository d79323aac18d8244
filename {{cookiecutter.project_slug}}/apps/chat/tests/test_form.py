"""Posting without JavaScript, by the form of a room's page."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertRedirects

from apps.chat.models import Message, Room
from apps.chat.tests.conftest import LIMIT
from apps.users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(bob: User) -> Client:
    """Bob's browser."""
    client = Client()
    client.force_login(bob)
    return client


def test_without_javascript_a_form_posts(
    client: Client, lobby: Room, bob: User
) -> None:
    url = reverse("chat:post", args=["lobby"])

    response = client.post(url, {"message": " one\r\ntwo "}, follow=True)

    assertRedirects(response, lobby.get_absolute_url())
    message = Message.objects.get()
    assert (message.room, message.author, message.text) == (lobby, bob, "one\ntwo")
    assertContains(response, 'data-number="1"')


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "Write something first"),
        ({"message": " "}, "Write something first"),
        ({"message": "x" * 2001}, "at most 2000 fit"),
        ({"message": "a\0b"}, "cannot be stored"),
    ],
    ids=["nothing", "blank", "long", "NUL"],
)
def test_what_is_wrong_with_a_message_is_told_on_the_page(
    client: Client, lobby: Room, data: dict[str, str], sentence: str
) -> None:
    url = reverse("chat:post", args=["lobby"])

    response = client.post(url, data, follow=True)

    assertContains(response, sentence)
    assert not Message.objects.exists()


def test_a_flood_by_the_form_is_told_too(client: Client, lobby: Room) -> None:
    url = reverse("chat:post", args=["lobby"])
    for _ in range(LIMIT):
        client.post(url, {"message": "hello"})

    response = client.post(url, {"message": "hello"}, follow=True)

    assertContains(response, "Slow down")
    assert Message.objects.count() == LIMIT


def test_a_form_of_another_site_posts_nothing(lobby: Room, bob: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)

    response = client.post(reverse("chat:post", args=["lobby"]), {"message": "hi"})

    assert response.status_code == 403
    assert not Message.objects.exists()


def test_looking_posts_nothing(client: Client, lobby: Room) -> None:
    response = client.get(reverse("chat:post", args=["lobby"]), {"message": "hi"})

    assert response.status_code == 405
    assert not Message.objects.exists()
