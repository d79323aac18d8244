"""Who may open which page of a private room, and who chooses its members."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from apps.chat import rooms
from apps.chat.models import Message, Room
from apps.users.models import User

pytestmark = pytest.mark.django_db

PAGES = ["room", "post", "add", "remove"]


@pytest.fixture
def eve(db: None) -> User:
    return User.objects.create_user("eve")


def visit(user: User | None, page: str, room: Room) -> int:
    """Look at a room, or post into it, or add Eve, or remove Bob."""
    client = Client()
    if user is not None:
        client.force_login(user)
    url = reverse(f"chat:{page}", args=[room.slug])
    if page == "room":
        return client.get(url).status_code
    username = "eve" if page == "add" else "bob"
    return client.post(url, {"message": "hi", "username": username}).status_code


@pytest.mark.parametrize("page", PAGES)
def test_strangers_are_led_to_the_login(attic: Room, page: str) -> None:
    assert visit(None, page, attic) == 302
    assert not Message.objects.exists()
    assert attic.members.count() == 2


@pytest.mark.parametrize("page", PAGES)
def test_others_see_nothing_and_change_nothing(
    attic: Room, eve: User, page: str
) -> None:
    assert visit(eve, page, attic) == 404
    assert not Message.objects.exists()
    assert attic.members.count() == 2


@pytest.mark.parametrize("page", PAGES)
def test_an_administrator_is_no_exception(attic: Room, page: str) -> None:
    admin = User.objects.create_superuser("admin")

    assert visit(admin, page, attic) == 404


@pytest.mark.parametrize(
    ("page", "status"), [("room", 200), ("post", 302), ("add", 403), ("remove", 403)]
)
def test_members_talk_and_choose_nobody(
    attic: Room, bob: User, eve: User, page: str, status: int
) -> None:
    assert visit(bob, page, attic) == status
    assert attic.admits(bob)
    assert not attic.admits(eve)


def test_the_creator_chooses_who_is_in(
    attic: Room, ada: User, bob: User, eve: User
) -> None:
    assert visit(ada, "add", attic) == 302
    assert attic.admits(eve)

    assert visit(ada, "remove", attic) == 302
    assert not attic.admits(bob)


@pytest.mark.parametrize("page", ["add", "remove"])
def test_in_a_public_room_nobody_is_chosen(
    lobby: Room, ada: User, bob: User, eve: User, page: str
) -> None:
    lobby.members.add(bob)

    assert visit(ada, page, lobby) == 403
    assert list(lobby.members.all()) == [bob]


@pytest.mark.parametrize("page", ["add", "remove"])
def test_a_link_chooses_nobody(attic: Room, ada: User, eve: User, page: str) -> None:
    client = Client()
    client.force_login(ada)

    url = reverse(f"chat:{page}", args=["attic"])

    assert client.get(url, {"username": "bob"}).status_code == 405


@pytest.mark.parametrize(
    ("page", "username", "sentence"),
    [
        ("add", "mallory", "nobody called “mallory”"),
        ("add", "", "nobody called"),
        ("add", "bob\0", "nobody called"),
        ("remove", "mallory", "nobody called “mallory”"),
        ("remove", "ada", "creator of a room stays"),
    ],
)
def test_the_creator_is_told_what_is_wrong(
    attic: Room, ada: User, page: str, username: str, sentence: str
) -> None:
    client = Client()
    client.force_login(ada)

    url = reverse(f"chat:{page}", args=["attic"])
    response = client.post(url, {"username": username}, follow=True)

    assertRedirects(response, attic.get_absolute_url())
    assertContains(response, sentence)


def test_a_room_has_so_many_members_only(
    attic: Room, ada: User, bob: User, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "MAX_MEMBERS", 2)
    client = Client()
    client.force_login(ada)

    url = reverse("chat:add", args=["attic"])
    response = client.post(url, {"username": "eve"}, follow=True)

    assertContains(response, "2 members at most")
    assert set(attic.members.all()) == {ada, bob}


def test_only_the_creator_is_offered_to_choose(
    attic: Room, ada: User, bob: User
) -> None:
    url = attic.get_absolute_url()
    ada_s, bob_s = Client(), Client()
    ada_s.force_login(ada)
    bob_s.force_login(bob)

    assertContains(ada_s.get(url), reverse("chat:add", args=["attic"]))
    assertContains(bob_s.get(url), "Attic")
    assertNotContains(bob_s.get(url), "/members/")
