"""A consumer may log somebody in or out over its socket: channels.auth has it."""

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client

from channels_live import LogContext, count_present, disconnect, in_thread
from channels_live.testing import WAIT, check_sockets
from tests.library.helpers.browsing import browser_of, connect

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = 1

Open = Callable[..., Any]


class Tab:
    """A socket that shows who is here, and does not take that for an answer."""

    def __init__(self, socket: WebsocketCommunicator) -> None:
        self.socket = socket
        self.roster = ""

    async def receive(self) -> str:
        """The next that is said, but for rosters."""
        said: str = await self.socket.receive_from(WAIT)
        if ": " not in said:
            return said
        self.roster = said
        return await self.receive()

    async def say(self, **content: Any) -> str:
        await self.socket.send_json_to(content)
        return await self.receive()

    async def shows(self, roster: str) -> None:
        """Wait for a roster. Raises TimeoutError where it never comes."""
        while self.roster != roster:
            self.roster = await self.socket.receive_from(WAIT)

    async def code(self, within: float = WAIT) -> int:
        """Wait until the socket is closed."""
        while (output := await self.socket.receive_output(within))["type"] != (
            "websocket.close"
        ):
            assert ": " in output["text"]  # a roster
        code: int = output["code"]
        return code


@pytest.fixture
async def open_tab(transactional_db: None) -> AsyncIterator[Open]:
    """Opens a socket in a browser."""
    tabs: list[Tab] = []

    async def open_tab(client: Client | None = None, path: str = "roster") -> Tab:
        tabs.append(Tab(await connect(f"/ws/{path}/", client)))
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        await tab.socket.disconnect()


async def deactivate(user: Any) -> None:
    user.is_active = False
    await user.asave()


PATHS = pytest.mark.parametrize("path", ["roster", "plain-json"])


@PATHS
async def test_who_has_logged_in_is_revoked_as_such(
    open_tab: Open, ada: Any, bob: Any, path: str
) -> None:
    tab = await open_tab(path=path)
    assert "ada" in await tab.say(login="ada")

    await deactivate(bob)
    assert "ada" in await tab.say(who="?")
    await deactivate(ada)

    assert await tab.code(SECOND) == 4401


@PATHS
async def test_who_is_somebody_else_now_is_revoked_as_such_alone(
    open_tab: Open, ada: Any, bob: Any, path: str
) -> None:
    tab = await open_tab(await browser_of(ada), path)
    assert "bob" in await tab.say(login="bob")

    await deactivate(ada)
    disconnect(user=ada.pk)
    await check_sockets()
    assert "bob" in await tab.say(who="?")
    disconnect(user=bob.pk)

    assert await tab.code(SECOND) == 4401


@PATHS
async def test_the_new_login_ends_with_its_own_session(
    open_tab: Open, ada: Any, bob: Any, path: str
) -> None:
    tab = await open_tab(await browser_of(ada), path)
    assert "bob" in await tab.say(login="bob")
    await check_sockets()
    assert "bob" in await tab.say(who="?")

    session = await sessions_of(bob)
    await in_thread(session[0].delete)()
    await check_sockets()

    assert await tab.code(SECOND) == 4401


@in_thread
def sessions_of(user: Any) -> list[Any]:
    return [
        session
        for session in Session.objects.all()
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]


@PATHS
@pytest.mark.parametrize("content", [{"login": "bob"}, {"logout": True}])
async def test_the_other_sockets_of_the_session_that_ended_are_closed(
    open_tab: Open, ada: Any, bob: Any, path: str, content: dict[str, Any]
) -> None:
    client = await browser_of(ada)
    elsewhere = await open_tab(await browser_of(ada), path)
    tab, other = await open_tab(client, path), await open_tab(client, "roster")
    assert "ada" in await other.say(who="?")

    await tab.say(**content)

    assert await other.code(SECOND) == 4401
    assert "ada" in await elsewhere.say(who="?")
    assert await tab.say(who="?")


@PATHS
async def test_who_has_logged_out_is_nobody(
    open_tab: Open, ada: Any, path: str
) -> None:
    tab = await open_tab(await browser_of(ada), path)
    assert "ada" not in await tab.say(logout=True)

    await deactivate(ada)
    disconnect(user=ada.pk)
    await check_sockets()

    assert "You are ." in await tab.say(who="?")


@PATHS
async def test_sockets_are_counted_for_whom_they_are_of_now(
    open_tab: Open, tune: Callable[..., None], ada: Any, bob: Any, path: str
) -> None:
    tune(SOCKETS_PER_USER=2)
    tab = await open_tab(await browser_of(ada), path)
    assert "bob" in await tab.say(login="bob")

    adas = [await open_tab(await browser_of(ada), path) for _ in range(2)]
    assert "bob" in await tab.say(who="?")
    for one in adas:
        assert "ada" in await one.say(who="?")

    _, one_more = [await open_tab(await browser_of(bob), path) for _ in range(2)]
    assert await one_more.code(SECOND) == 1013
    assert "bob" in await tab.say(who="?")


async def test_rosters_show_whom_sockets_are_of_now(
    open_tab: Open, ada: Any, bob: Any
) -> None:
    viewer = await open_tab()
    tab = await open_tab(await browser_of(ada))
    await viewer.shows("1: ada")

    await tab.say(login="bob")
    await viewer.shows("1: bob")
    assert await in_thread(count_present)(["here"]) == {"here": 1}

    await tab.say(logout=True)
    await viewer.shows("0: ")
    assert await in_thread(count_present)(["here"]) == {}

    await tab.say(login="ada")
    await viewer.shows("1: ada")
    await tab.socket.disconnect()
    await viewer.shows("0: ")


async def test_so_does_the_log(open_tab: Open, ada: Any, bob: Any) -> None:
    users: list[str | None] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            context = LogContext.current.get()
            assert context
            users.append(context.fields()["user"])

    ear = Ear()
    logging.getLogger("access.websocket").addHandler(ear)
    try:
        tab = await open_tab(await browser_of(ada))
        await tab.say(login="bob")
        await tab.socket.disconnect()
    finally:
        logging.getLogger("access.websocket").removeHandler(ear)

    assert users == [str(ada.pk), str(bob.pk)]
