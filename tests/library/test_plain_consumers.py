"""A consumer of Channels itself is as safe as one of the library's."""

import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from channels_live import apublish, disconnect
from channels_live.observe.outage import database_outage
from channels_live.testing import WAIT, check_sockets
from tests.library.helpers import layers
from tests.library.helpers.browsing import (
    browser_of,
    closing_code,
    connect,
    socket_of,
)
from tests.library.helpers.telling import overhear, tell_as_another

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("path", ["plain-async", "plain-sync", "plain-json"]),
]

SECOND = 1
REFUSED = (False, 1000)

Open = Callable[..., Any]


@pytest.fixture
async def open_socket(path: str) -> AsyncIterator[Open]:
    """Opens a socket in a browser, and waits until it answers."""
    sockets: list[WebsocketCommunicator] = []

    async def open_socket(client: Client | None = None) -> WebsocketCommunicator:
        sockets.append(await connect(f"/ws/{path}/", client))
        assert await answers(sockets[-1])
        return sockets[-1]

    yield open_socket
    for socket in sockets:
        await socket.disconnect()


async def answers(socket: WebsocketCommunicator) -> bool:
    await socket.send_to("1")  # which is JSON too
    said: str = await socket.receive_from(WAIT)
    return said == "1"


async def log_out(client: Client, user: Any) -> None:
    await client.alogout()


async def change_password(client: Client, user: Any) -> None:
    user.set_unusable_password()
    await user.asave()


async def deactivate(client: Client, user: Any) -> None:
    user.is_active = False
    await user.asave()


async def delete(client: Client, user: Any) -> None:
    await user.adelete()


@pytest.mark.parametrize(
    "end",
    [log_out, change_password, deactivate, delete],
    ids=lambda end: end.__name__,
)
async def test_it_is_closed_within_a_second_of_the_end_of_its_login(
    open_socket: Open, ada: Any, bob: Any, end: Any
) -> None:
    client = await browser_of(ada)
    adas, bobs = await open_socket(client), await open_socket(await browser_of(bob))
    nobodys = await open_socket()

    await end(client, ada)

    assert await closing_code(adas, SECOND) == 4401
    assert await answers(bobs)
    assert await answers(nobodys)


async def test_it_is_closed_where_another_process_says_so(
    open_socket: Open, ada: Any
) -> None:
    parting = await overhear(partial(disconnect, user=ada.pk))
    socket = await open_socket(await browser_of(ada))

    await tell_as_another(parting)

    assert await closing_code(socket, SECOND) == 4401


async def test_it_is_closed_where_nobody_was_told(open_socket: Open, ada: Any) -> None:
    socket = await open_socket(await browser_of(ada))
    await get_user_model().objects.filter(pk=ada.pk).aupdate(is_active=False)

    await check_sockets()

    assert await closing_code(socket, SECOND) == 4401


async def test_its_frames_are_limited_in_size(
    open_socket: Open, tune: Callable[..., None]
) -> None:
    tune(FRAME_SIZE=100)
    socket = await open_socket()
    largest = f'"{"x" * 98}"'

    await socket.send_to(largest)
    assert await socket.receive_from(WAIT) == largest
    await socket.send_to(largest + " ")

    assert await closing_code(socket) == 1009


@pytest.mark.parametrize("kind", ["text", "bytes"])
async def test_nor_does_binary_get_around_that(
    open_socket: Open, tune: Callable[..., None], kind: str
) -> None:
    tune(FRAME_SIZE=100)
    socket = await open_socket()
    data = {"text": "1" * 101, "bytes": b"1" * 101}

    await socket.send_input({"type": "websocket.receive", kind: data[kind]})

    assert await closing_code(socket) == 1009


async def test_its_frames_are_limited_in_number(
    open_socket: Open, tune: Callable[..., None]
) -> None:
    tune(FRAMES_PER_SECOND=1)
    socket = await open_socket()  # which takes one

    for _ in range(4):
        assert await answers(socket)
    await socket.send_to("1")

    assert await closing_code(socket) == 1008


async def test_nobody_opens_them_without_end(
    path: str, tune: Callable[..., None], ada: Any
) -> None:
    tune(SOCKETS_PER_SECOND=1)
    client = await browser_of(ada)

    opened = 0
    while await (socket := socket_of(f"/ws/{path}/", client)).connect(WAIT) != REFUSED:
        opened += 1
        await socket.disconnect()

        assert opened < 20  # a window of ten seconds may end meanwhile
    assert opened >= 10


async def test_of_too_many_of_one_person_the_newest_waits(
    open_socket: Open, tune: Callable[..., None], ada: Any, path: str
) -> None:
    tune(SOCKETS_PER_USER=2)
    first, second = [await open_socket(await browser_of(ada)) for _ in range(2)]

    third = await connect(f"/ws/{path}/", await browser_of(ada))

    assert await closing_code(third, SECOND) == 1013
    assert await answers(first)
    assert await answers(second)


async def test_it_is_counted_and_logged(
    open_socket: Open,
    path: str,
    grown: Callable[..., float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "access.websocket"):
        socket = await open_socket()
        assert grown("websocket_open_sockets") == 1
        await socket.disconnect(code=1001)

    assert grown("websocket_opened_total") == 1
    assert grown("websocket_received_total") == 1
    assert grown("websocket_closed_total", how="left", code="1001") == 1
    assert grown("websocket_open_sockets") == 0
    lines = [one for one in caplog.records if one.name == "access.websocket"]
    assert [vars(line)["event"] for line in lines] == ["open", "close"]
    assert all(f"/ws/{path}/" in line.getMessage() for line in lines)


async def test_what_is_published_to_a_group_of_its_own_does_not_end_it(
    open_socket: Open, caplog: pytest.LogCaptureFixture
) -> None:
    layer: Any = get_channel_layer()
    socket = await open_socket()

    await apublish("here", "<b>for consumers of the library</b>")
    await layer.group_send("here", {"type": "say", "text": "for its own"})

    assert await socket.receive_from(WAIT) == "for its own"
    assert await answers(socket)
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


async def test_the_end_of_the_interpreter_is_no_error_of_its_own(
    open_socket: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended = ThreadPoolExecutor()
    ended.shutdown()
    socket = await open_socket()

    async def visit_a_thread(self: Any, message: object) -> None:
        ended.submit(print)

    def visit(self: Any, message: object) -> None:
        ended.submit(print)

    monkeypatch.setattr(AsyncWebsocketConsumer, "websocket_receive", visit_a_thread)
    monkeypatch.setattr(WebsocketConsumer, "websocket_receive", visit)
    await socket.send_to("1")

    assert await closing_code(socket) == 1012
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


async def test_it_is_served_though_the_channel_layer_of_the_library_is_away(
    settings: Settings, path: str
) -> None:
    layers.use(layers.BrokenLayer, settings)

    socket = await connect(f"/ws/{path}/")

    assert await answers(socket)
    await socket.disconnect()


async def test_a_database_that_is_away_is_an_outage_and_no_bug(
    open_socket: Open,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(self: Any, message: object) -> None:
        raise OperationalError("the connection is lost")

    async def afail(self: Any, message: object) -> None:
        fail(self, message)

    monkeypatch.setattr(database_outage, "failed", {})
    sockets = [await open_socket(), await open_socket()]
    monkeypatch.setattr(WebsocketConsumer, "websocket_receive", fail)
    monkeypatch.setattr(AsyncWebsocketConsumer, "websocket_receive", afail)

    for socket in sockets:
        await socket.send_to("1")
        assert await closing_code(socket) == 1013

    assert caplog.text.count("The database cannot be used (OperationalError: ") == 1
    assert "Traceback" not in caplog.text
