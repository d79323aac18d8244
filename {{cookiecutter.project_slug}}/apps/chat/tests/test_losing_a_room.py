"""A socket is closed within a second when its user loses access to the room."""

from collections.abc import Callable

import pytest
from django.contrib.admin.utils import quote
from django.db import transaction
from django.test import AsyncClient
from django.urls import reverse

from apps.chat import signals
from apps.chat.models import Room
from apps.chat.posting import apost_message
from apps.chat.rooms import remove_member
from apps.chat.tests.conftest import Enter
from apps.chat.tests.tab import Tab
from apps.users.models import User
from channels_live import in_thread
from channels_live.testing import check_sockets

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = 1


async def test_logout_closes_all_tabs_of_that_browser(bobs: Tab) -> None:
    same_browser = await Tab.open_as(bobs.client, "attic")
    await same_browser.is_in()

    await bobs.client.post(reverse("account_logout"))

    assert await bobs.code(SECOND) == 4401
    assert await same_browser.code(SECOND) == 4401


async def test_removal_from_a_private_room_closes(
    bobs: Tab, attic: Room, bob: User
) -> None:
    await in_thread(remove_member)(attic, "bob")

    assert await bobs.code(SECOND) == 4403
    back = await Tab.open_as(bobs.client, "attic")
    assert await back.code() == 4404
    await back.leave()


@pytest.mark.parametrize(
    "remove",
    [
        lambda attic, bob: attic.members.set([attic.creator]),
        lambda attic, bob: bob.private_rooms.remove(attic),
        lambda attic, bob: bob.private_rooms.clear(),
    ],
    ids=["members.set", "rooms.remove", "rooms.clear"],
)
async def test_removal_closes_by_whatever_way(
    bobs: Tab, attic: Room, bob: User, remove: Callable[[Room, User], None]
) -> None:
    await in_thread(remove)(attic, bob)

    assert await bobs.code(SECOND) == 4403


async def test_removal_from_one_room_leaves_others_alone(
    bobs: Tab, attic: Room, lobby: Room, bob: User, enter: Enter
) -> None:
    in_the_lobby = await enter(bob, lobby)

    await in_thread(remove_member)(attic, "bob")

    assert await bobs.code(SECOND) == 4403
    await in_the_lobby.say("here yet")
    await in_the_lobby.hears("here yet")


async def test_who_was_removed_hears_nothing_any_more(
    bobs: Tab, attic: Room, ada: User
) -> None:
    await in_thread(remove_member)(attic, "bob")
    await apost_message(attic, ada, "among ourselves")

    assert await bobs.code(SECOND) == 4403
    assert "among ourselves" not in bobs.heard


async def test_a_removal_that_nobody_was_told_of_is_found_by_looking(
    bobs: Tab, attic: Room, ada: User, bob: User, enter: Enter
) -> None:
    adas = await enter(ada, attic)

    await Room.members.through.objects.filter(user=bob).adelete()
    await check_sockets()

    assert await bobs.code(SECOND) == 4403
    await adas.say("here yet")
    await adas.hears("here yet")


async def test_who_was_removed_posts_nothing_any_more(
    bobs: Tab, attic: Room, bob: User
) -> None:
    await Room.members.through.objects.filter(user=bob).adelete()

    await bobs.say("let me in")

    await bobs.hears("Only members of this room may write in it.")
    assert not await attic.messages.aexists()


async def test_removal_that_is_rolled_back_closes_nothing(
    bobs: Tab, attic: Room
) -> None:
    def change_of_mind() -> None:
        with transaction.atomic():
            remove_member(attic, "bob")
            transaction.set_rollback(True)

    await in_thread(change_of_mind)()

    await bobs.say("here yet")
    await bobs.hears("here yet")


def test_a_new_private_room_sends_nobody_away(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or on a slow day whoever makes it has to come back first of all."""
    sent_away: list[object] = []
    monkeypatch.setattr(signals, "disconnect", lambda **who: sent_away.append(who))

    attic = Room.objects.create(name="Attic", slug="attic", is_private=True)
    attic.members.add(ada)

    assert sent_away == []


@pytest.mark.parametrize("update_fields", [None, ["is_private"]])
async def test_a_room_made_private_lets_its_members_come_back(
    lobby: Room, ada: User, bob: User, enter: Enter, update_fields: list[str] | None
) -> None:
    adas, bobs = await enter(ada, lobby), await enter(bob, lobby)
    await lobby.members.aadd(ada)

    lobby.is_private = True
    await lobby.asave(update_fields=update_fields)

    for tab in (adas, bobs):
        assert await tab.code(SECOND) == 1012
    back = await Tab.open_as(adas.client, "lobby")
    await back.is_in()
    await back.leave()
    back = await Tab.open_as(bobs.client, "lobby")
    assert await back.code() == 4404
    await back.leave()


async def test_a_public_room_that_changes_closes_nothing(
    lobby: Room, bob: User, enter: Enter
) -> None:
    tab = await enter(bob, lobby)

    lobby.name = "Foyer"
    await lobby.asave()

    await tab.say("here yet")
    await tab.hears("here yet")


@pytest.mark.parametrize(
    "delete",
    [lambda room: room.delete(), lambda room: Room.objects.all().delete()],
    ids=["instance", "query"],
)
async def test_a_deleted_room_closes_for_all(
    lobby: Room, ada: User, bob: User, enter: Enter, delete: Callable[[Room], None]
) -> None:
    tabs = [await enter(ada, lobby), await enter(bob, lobby)]

    await in_thread(delete)(lobby)

    assert [await tab.code(SECOND) for tab in tabs] == [4404, 4404]


async def test_removal_in_the_admin_closes(
    attic: Room, ada: User, bob: User, enter: Enter
) -> None:
    bobs = await enter(bob, attic)
    admin = AsyncClient()
    await admin.aforce_login(await User.objects.acreate_superuser("admin"))

    response = await admin.post(
        reverse("admin:chat_room_change", args=[quote(attic.pk)]),
        {
            "name": "Attic",
            "slug": "attic",
            "creator": ada.pk,
            "is_private": "on",
            "members": [ada.pk],
        },
    )

    assert response.status_code == 302
    assert await bobs.code(SECOND) == 1012  # the room was saved first
    back = await Tab.open_as(bobs.client, "attic")
    assert await back.code() == 4404
    await back.leave()
