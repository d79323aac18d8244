import re
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from apps.chat.models import Message, Room
from apps.chat.posting import post_message
from apps.users.models import User

MANY = 2000  # messages

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    """The browser of an administrator."""
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def fill(room: Room, author: User, count: int) -> None:
    Message.objects.bulk_create(
        Message(room=room, author=author, number=number, client_id=uuid4(), text="x")
        for number in range(1, count + 1)
    )


def delete(client: Client, row: Model) -> int:
    """Confirm that a row is deleted. Returns the number of queries."""
    model = row._meta.label_lower.replace(".", "_")
    url = reverse(f"admin:{model}_delete", args=[row.pk])
    with CaptureQueriesContext(connection) as queries:
        confirmation = client.get(url)
        assert len(confirmation.content) < 20_000
        client.post(url, {"post": "yes"})
    return len(queries)


@pytest.fixture
def message(lobby: Room, ada: User) -> Message:
    return post_message(lobby, ada, "Good morning")


def test_the_chat_is_for_administrators_only(lobby: Room, ada: User) -> None:
    client = Client()
    client.force_login(ada)

    for model in ("room", "message"):
        response = client.get(reverse(f"admin:chat_{model}_changelist"))
        assert response.status_code == 302


def test_rooms_are_listed_and_searched(
    client: Client, lobby: Room, attic: Room
) -> None:
    url = reverse("admin:chat_room_changelist")

    assertContains(client.get(url), "Lobby")
    found = client.get(url, {"q": "att"})
    assertContains(found, "Attic")
    assertNotContains(found, "Lobby")
    private = client.get(url, {"is_private__exact": "1"})
    assertNotContains(private, "Lobby")


def test_the_slug_of_a_private_room_tells_no_name(
    client: Client, lobby: Room, ada: User
) -> None:
    url = reverse("admin:chat_room_change", args=[lobby.pk])
    fields = {"name": "Lobby", "creator": ada.pk, "is_private": "on"}

    client.post(url, {**fields, "slug": "lobby"})
    lobby.refresh_from_db()
    slug = lobby.slug
    client.post(url, {**fields, "slug": slug})

    assert re.fullmatch(r"lobby--\w{8}", slug)
    lobby.refresh_from_db()
    assert lobby.slug == slug


def test_a_room_can_be_added_and_changed(client: Client, ada: User) -> None:
    add = reverse("admin:chat_room_add")
    assertContains(client.get(add), "id_slug")

    client.post(add, {"name": "Attic", "slug": "attic", "creator": ada.pk})
    room = Room.objects.get()
    client.post(
        reverse("admin:chat_room_change", args=[room.pk]),
        {
            "name": "Loft",
            "slug": "loft--7",
            "creator": ada.pk,
            "is_private": "on",
            "members": [ada.pk],
        },
    )

    room.refresh_from_db()
    assert (room.name, room.slug, room.is_private) == ("Loft", "loft--7", True)
    assert list(room.members.all()) == [ada]


def test_changing_a_room_keeps_its_count(
    client: Client, message: Message, lobby: Room, ada: User
) -> None:
    url = reverse("admin:chat_room_change", args=[lobby.pk])

    client.post(
        url,
        {"name": "Foyer", "slug": "foyer", "creator": ada.pk, "last_number": 0},
    )

    lobby.refresh_from_db()
    assert (lobby.name, lobby.last_number) == ("Foyer", 1)


def test_deleting_a_room_costs_as_much_with_many_messages(
    client: Client, lobby: Room, attic: Room, ada: User
) -> None:
    fill(attic, ada, 1)
    fill(lobby, ada, MANY)
    many, few = (delete(client, room) for room in (lobby, attic))

    assert many <= few
    assert not Message.objects.exists()


def test_deleting_a_user_costs_as_much_with_many_memberships(
    client: Client, ada: User, bob: User
) -> None:
    rooms = Room.objects.bulk_create(
        Room(name="x", slug=f"x{number}") for number in range(MANY)
    )
    ada.private_rooms.set(rooms[:1])
    bob.private_rooms.set(rooms)
    few, many = (delete(client, user) for user in (ada, bob))

    assert many <= few
    assert not Room.members.through.objects.exists()


def test_messages_are_listed_and_searched(
    client: Client, message: Message, lobby: Room, ada: User
) -> None:
    post_message(lobby, ada, "Good night")

    response = client.get(reverse("admin:chat_message_changelist"), {"q": "night"})

    assertContains(response, "Good night")
    assertNotContains(response, "Good morning")


def test_messages_are_not_added_but_posted(client: Client, message: Message) -> None:
    add = reverse("admin:chat_message_add")

    assertNotContains(client.get(reverse("admin:chat_message_changelist")), add)
    assert client.get(add).status_code == 403


def test_a_text_can_be_changed_and_nothing_else_of_a_message(
    client: Client, message: Message, bob: User, attic: Room
) -> None:
    url = reverse("admin:chat_message_change", args=[message.pk])
    assertContains(client.get(url), "Good morning")

    client.post(
        url, {"text": "[removed]", "number": 9, "author": bob.pk, "room": attic.pk}
    )

    before = (message.number, message.author, message.room)
    message.refresh_from_db()
    assert message.text == "[removed]"
    assert (message.number, message.author, message.room) == before


def test_a_message_can_be_deleted_and_its_number_is_not_given_again(
    client: Client, message: Message, lobby: Room, ada: User
) -> None:
    url = reverse("admin:chat_message_delete", args=[message.pk])

    client.post(url, {"post": "yes"})

    assert not Message.objects.exists()
    assert post_message(lobby, ada, "next").number == 3


def test_no_list_offers_more_than_a_page(
    client: Client, lobby: Room, ada: User
) -> None:
    fill(lobby, ada, MANY)
    Room.objects.bulk_create(
        Room(name="x", slug=f"x{number}") for number in range(MANY)
    )

    for model in ("message", "room"):
        response = client.get(reverse(f"admin:chat_{model}_changelist"))
        assertContains(response, "0 of 100 selected")
        assertNotContains(response, f"Select all {MANY}")
