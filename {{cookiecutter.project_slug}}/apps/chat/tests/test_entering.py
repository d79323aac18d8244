"""Who may enter a room, and what a page that comes back is sent."""

import pytest
from channels.testing import WebsocketCommunicator
from django.test import AsyncClient

from apps.chat.models import Room
from apps.chat.posting import apost_message
from apps.chat.rendering import render_skipped
from apps.chat.tests.conftest import Enter
from apps.chat.tests.tab import Tab
from apps.users.models import User
from channels_live import CATCH_UP
from config.asgi import application

pytestmark = pytest.mark.django_db(transaction=True)


async def refusal(tab: Tab) -> int:
    """Return the code of a socket that is closed before it receives anything."""
    code = await tab.code()
    await tab.leave()
    assert tab.frames == []
    return code


async def test_strangers_do_not_enter(lobby: Room) -> None:
    assert await refusal(await Tab.open(None, "lobby")) == 4401


async def test_strangers_do_not_learn_which_rooms_there_are() -> None:
    assert await refusal(await Tab.open(None, "nowhere")) == 4401


async def test_an_unknown_room_is_not_found(ada: User) -> None:
    assert await refusal(await Tab.open(ada, "nowhere")) == 4404


async def test_a_private_room_is_for_its_members(attic: Room) -> None:
    eve = await User.objects.acreate_user("eve")

    assert await refusal(await Tab.open(eve, "attic")) == 4404


async def test_members_enter_a_private_room(
    attic: Room, bob: User, enter: Enter
) -> None:
    tab = await enter(bob, attic)

    await tab.say("hello")

    await tab.hears("hello")


async def test_pages_of_other_sites_do_not_enter(lobby: Room, ada: User) -> None:
    client = AsyncClient()
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
