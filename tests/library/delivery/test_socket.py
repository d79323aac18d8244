"""A socket between its server and an endpoint that does as it likes."""

import asyncio
import gc
import logging
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import pytest
from channels.auth import logout
from channels.testing import WebsocketCommunicator

from channels_live import CloseCode
from channels_live.delivery.socket import Socket
from channels_live.process import get_process
from channels_live.testing import WAIT
from tests.library.helpers.browsing import browser_of, closing_code, only, socket_of

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db

ACCEPT = {"type": "websocket.accept"}
HELLO = {"type": "websocket.send", "text": "hello"}


async def open_at(endpoint: Any) -> WebsocketCommunicator:
    socket = socket_of("/", application=only(endpoint))
    assert await socket.connect(WAIT) == (True, None)
    return socket


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [one for one in caplog.records if one.name == "access.websocket"]
    return [vars(line)["event"] for line in lines]


@pytest.mark.parametrize("how", ["closes", "fails"])
async def test_what_is_done_after_a_browser_has_left_is_no_refusal(
    grown: Callable[..., float], caplog: pytest.LogCaptureFixture, how: str
) -> None:
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(ACCEPT)
        await receive()
        if how == "fails":
            raise RuntimeError("not thought of")
        await send({"type": "websocket.close"})

    with caplog.at_level(logging.INFO, "access.websocket"):
        socket = await open_at(endpoint)
        await socket.disconnect(code=1001)
        await socket.wait(WAIT)

    assert events(caplog) == ["open", "close"]
    assert grown("websocket_refused_handshakes_total") == 0
    assert grown("websocket_closed_total", how="left", code="1001") == 1
    assert ("A consumer has failed." in caplog.text) == (how == "fails")


async def test_a_browser_is_told_the_reason_that_a_consumer_gives() -> None:
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(ACCEPT)
        await send({"type": "websocket.close", "code": 4000, "reason": "Enough"})

    socket = await open_at(endpoint)

    close = {"type": "websocket.close", "code": 4000, "reason": "Enough"}
    assert await socket.receive_output(WAIT) == close


@pytest.mark.django_db(transaction=True)
async def test_who_logs_out_last_of_all_closes_the_sockets_of_the_session(
    ada: Any,
) -> None:
    async def goodbye(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(ACCEPT)
        await receive()
        await logout(scope)

    async def patient(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(ACCEPT)
        await receive()

    client = await browser_of(ada)
    first, second = [
        socket_of("/", client=client, application=only(endpoint))
        for endpoint in (goodbye, patient)
    ]
    for socket in (first, second):
        assert await socket.connect(WAIT) == (True, None)

    await first.send_to("goodbye")

    assert await closing_code(second) == 4401


async def test_a_socket_that_is_closed_hears_and_says_nothing() -> None:
    heard: list[Any] = []
    may_go_on = asyncio.Event()

    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(ACCEPT)
        await send({"type": "websocket.close", "code": 4000})
        await may_go_on.wait()
        await send(HELLO)
        await send({"type": "websocket.close", "code": 4001})
        heard.append(await receive())

    socket = await open_at(endpoint)
    assert await closing_code(socket) == 4000
    await socket.send_to("hello?")
    may_go_on.set()
    assert await socket.receive_nothing()

    await socket.disconnect(code=4000)
    assert [event["type"] for event in heard] == ["websocket.disconnect"]


async def test_who_is_terminated_while_being_let_in_is_closed_once_that_is_done() -> (
    None
):
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        (socket,) = get_process().sockets
        socket.terminate(CloseCode.NOT_ALLOWED)
        await send(ACCEPT)
        await send(HELLO)
        await receive()

    socket = await open_at(endpoint)

    assert await closing_code(socket) == 4403


async def test_a_new_socket_has_all_its_frames(tune: Callable[..., None]) -> None:
    """Wherever in memory it lies, and whatever lay there before."""
    tune(FRAMES_PER_SECOND=1)

    async def receive() -> dict[str, Any]:
        (socket,) = sockets
        assert socket.is_open
        return {"type": "websocket.receive", "text": "hello"}

    async def send(event: dict[str, Any]) -> None:
        pass

    sockets: WeakSet[Socket] = WeakSet()
    for _ in range(50):
        socket = Socket({"path": "/"}, receive, send)
        sockets.add(socket)
        await socket.send(ACCEPT)
        for _ in range(5):
            await socket.receive()
        socket.end("left", CloseCode.NORMAL_CLOSURE)
        del socket
        gc.collect()
