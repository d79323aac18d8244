import pytest
from django.core.management import CommandError, call_command

from apps.chat.models import Message, Room
from apps.users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


def test_posts_a_message(ada: User) -> None:
    room = Room.objects.create(name="Lobby", slug="lobby")
    call_command("say", "lobby", "Good morning", user="ada")
    message = Message.objects.get()
    assert (message.room, message.author, message.text) == (room, ada, "Good morning")


def test_names_the_rooms_where_one_is_unknown(ada: User) -> None:
    Room.objects.create(name="Lobby", slug="lobby")
    with pytest.raises(CommandError, match=r"no room “loby”.*lobby"):
        call_command("say", "loby", "Good morning", user="ada")


def test_says_who_is_unknown() -> None:
    Room.objects.create(name="Lobby", slug="lobby")
    with pytest.raises(CommandError, match="nobody called “eve”"):
        call_command("say", "lobby", "Good morning", user="eve")


def test_says_what_is_wrong_with_a_text(ada: User) -> None:
    Room.objects.create(name="Lobby", slug="lobby")
    with pytest.raises(CommandError, match="empty message"):
        call_command("say", "lobby", "  ", user="ada")
