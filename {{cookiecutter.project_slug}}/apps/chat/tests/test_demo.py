import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from pytest_django.asserts import assertContains, assertNotContains

from apps.chat.models import Message, Room
from apps.users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def development(settings: Settings) -> None:
    settings.DEBUG = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def demo() -> str:
    output = StringIO()
    call_command("demo", stdout=output)
    return output.getvalue()


def test_makes_people_who_can_log_in_and_rooms_with_messages(client: Client) -> None:
    said = demo()

    found = re.search(r"password (\w{12}) as", said)
    assert found
    assert client.login(username="linus", password=found[1])
    assertContains(client.get(reverse("chat:room", args=["lobby"])), "staging server")
    assertContains(client.get(reverse("chat:room", args=["attic"])), "birthday")
    assert client.login(username="ada", password=found[1])
    assertNotContains(client.get(reverse("chat:index")), "Attic")
    assert client.get(reverse("admin:index")).status_code == 200
    lobby = Room.objects.get(slug="lobby")
    ages = list(lobby.messages.values_list("created", flat=True))
    assert ages == sorted(ages)
    assert lobby.last_number == len(ages) == len(set(ages))


def test_adds_nothing_twice() -> None:
    first = demo()
    Message.objects.first().delete()  # type: ignore[union-attr]
    before = [model.objects.count() for model in (User, Room, Message)]
    assert demo() == first
    assert [model.objects.count() for model in (User, Room, Message)] == before


def test_leaves_people_and_rooms_of_the_same_names_alone() -> None:
    grace = User.objects.create_user("grace", password="her own")
    ada = User.objects.create_user("ada", password="her own")
    Room.objects.create(name="LOBBY!", slug="lobby", creator=grace)

    assert "ada has a password of their own." in demo()

    ada.refresh_from_db()
    assert not ada.is_staff
    assert ada.check_password("her own")
    lobby = Room.objects.get(slug="lobby")
    assert (lobby.name, lobby.creator, lobby.last_number) == ("LOBBY!", grace, 0)


def test_refuses_in_production(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="where DEBUG is true"):
        demo()
    assert not User.objects.exists()
