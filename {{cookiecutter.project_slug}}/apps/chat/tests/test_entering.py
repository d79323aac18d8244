"""Who gets into a room through its socket, and what a page that comes back is sent."""

from datetime import timedelta

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.utils import timezone

from apps.chat.models import Room
from apps.chat.rendering import render_skipped
from apps.chat.services import apost_message
from apps.chat.tests.conftest import Enter
from apps.chat.tests.tab import Tab
from apps.users.models import User
from channels_live.delivery.group import CATCH_UP
from config.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


async def refusal(tab: Tab) -> int:
    """The code that a socket is closed with before anything else."""
    code = await tab.code()
    await tab.leave()
    assert tab.frames == []
    return code


async def test_strangers_do_not_enter(lobby: Room) -> None:
    assert await refusal(await Tab.open(None, "lobby")) == 4401


async def test_strangers_do_not_learn_which_rooms_there_are() -> None:
    assert await refusal(await Tab.open(None, "nowhere")) == 4401


async def test_an_expired_login_does_not_enter(lobby: Room, ada: User) -> None:
    client = Client()
    await client.aforce_login(ada)
    session = await client.asession()
    await session.aset_expiry(timezone.now() - timedelta(seconds=1))
    await session.asave()

    assert await refusal(await Tab.open_as(client, "lobby")) == 4401


async def test_a_login_that_ended_does_not_enter(lobby: Room, ada: User) -> None:
    client = Client()
    await client.aforce_login(ada)
    ada.is_active = False
    await ada.asave()

    assert await refusal(await Tab.open_as(client, "lobby")) == 4401


async def test_an_unknown_room_is_not_found(lobby: Room, ada: User) -> None:
    for slug in ("nowhere", "Lobby", "lobby ", "a%00b", "%F0%9F%91%A9"):
        assert await refusal(await Tab.open(ada, slug)) == 4404


async def test_a_private_room_is_for_its_members(attic: Room) -> None:
    eve = await User.objects.acreate_user("eve")

    assert await refusal(await Tab.open(eve, "attic")) == 4403


async def test_members_enter_a_private_room(
    attic: Room, bob: User, enter: Enter
) -> None:
    tab = await enter(bob, attic)

    await tab.say("hello")

    await tab.hears("hello")


async def test_pages_of_other_sites_do_not_enter(lobby: Room, ada: User) -> None:
    client = Client()
    await client.aforce_login(ada)
    headers = [
        (b"origin", b"https://evil.example"),
        (b"cookie", client.cookies.output(header="", sep=";").encode()),
    ]
    socket = WebsocketCommunicator(application, "/ws/chat/lobby/", headers=headers)

    is_accepted, _ = await socket.connect()

    assert not is_accepted


async def test_a_page_that_comes_back_is_sent_what_it_missed(
    lobby: Room, ada: User, bob: User
) -> None:
    messages = [await apost_message(lobby, ada, f"number {n}") for n in range(4)]

    tab = await Tab.open(bob, "lobby", after=2)

    await tab.shows(messages[3])
    assert messages[2].text in tab.heard
    assert messages[1].text not in tab.heard
    await tab.leave()


async def test_a_page_that_claims_nonsense_is_sent_what_comes_from_now_on(
    lobby: Room, ada: User
) -> None:
    await apost_message(lobby, ada, "long ago")
    nonsense = [
        "",
        "-1",
        "x",
        "1.0",
        "%C2%B2",
        "%00",
        *map("9".__mul__, (19, 20, 5000)),
    ]

    tabs = [await Tab.open(ada, "lobby", after=after) for after in nonsense]

    for tab in tabs:
        await tab.is_in()
        assert "long ago" not in tab.heard
    await tabs[0].say("from now on")
    for tab in tabs:
        await tab.hears("from now on")
        await tab.leave()


async def test_a_page_that_missed_too_much_is_told_how_much(
    lobby: Room, ada: User, bob: User
) -> None:
    last = CATCH_UP + 10
    await Room.objects.filter(pk=lobby.pk).aupdate(last_number=last)
    newest = await apost_message(lobby, ada, "the newest")

    tab = await Tab.open(bob, "lobby", after=1)

    await tab.shows(newest)
    assert tab.heard.startswith(render_skipped(10, 11))
    await tab.leave()
