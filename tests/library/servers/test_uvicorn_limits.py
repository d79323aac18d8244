"""Whom uvicorn waits for, and what it answers."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings
from uvicorn import Config
from uvicorn.server import ServerState

from channels_live import servers
from channels_live.servers import uvicorn
from channels_live.servers.uvicorn import Http, WebSocket

HEAD = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
TIMEOUT = 0.05

Connect = Callable[[Any], Any]


class Transport(asyncio.Transport):
    """Notes what is written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1), "sockname": ("192.0.2.2", 2)})
        self.written = b""
        self.is_closed = self.is_aborted = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_closed

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


async def application(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(10 * TIMEOUT)


@pytest.fixture(autouse=True, scope="module")
def installed() -> None:
    """In servers, where uvicorn is there before Django, this is done already."""
    servers.install()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Makes a connection, whose transport tells what came of it."""
    monkeypatch.setattr(uvicorn, "HEAD_TIMEOUT", TIMEOUT)
    config = Config(application, log_config=None)
    config.load()

    def connect(protocol: Any) -> Any:
        made = protocol(config=config, server_state=ServerState(), app_state={})
        made.connection_made(Transport())
        return made

    return connect


async def test_who_says_nothing_is_not_waited_for(connect: Connect) -> None:
    http = connect(Http)

    await asyncio.sleep(2 * TIMEOUT)

    assert http.transport.is_closed


async def test_who_never_comes_to_an_end_is_not_waited_for(connect: Connect) -> None:
    http = connect(Http)

    for byte in HEAD[:10]:
        http.data_received(bytes([byte]))
        await asyncio.sleep(TIMEOUT / 5)

    assert http.transport.is_closed


async def test_who_has_asked_is_answered_however_long_that_takes(
    connect: Connect,
) -> None:
    http = connect(Http)

    http.data_received(HEAD[:10])
    http.data_received(HEAD[10:])
    await asyncio.sleep(2 * TIMEOUT)

    assert not http.transport.is_closed


@pytest.mark.parametrize("drip", [b"", b"x"], ids=["silent", "dripping"])
async def test_a_body_that_does_not_come_is_not_waited_for(
    connect: Connect, settings: Settings, drip: bytes
) -> None:
    settings.CHANNELS_LIVE = {"BODY_SECONDS": TIMEOUT}
    http = connect(Http)
    http.data_received(HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 1000\r\n\r\n"))

    for _ in range(10):
        if drip:
            http.data_received(drip)
        await asyncio.sleep(TIMEOUT / 5)

    assert http.transport.is_closed


async def test_a_socket_that_is_closed_and_does_not_read_is_cut(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn, "CLOSE_TIMEOUT", TIMEOUT)
    socket = connect(WebSocket)
    socket.pause_writing()

    closing = asyncio.create_task(socket.send({"type": "websocket.close"}))
    await asyncio.sleep(2 * TIMEOUT)

    assert socket.transport.is_aborted
    socket.connection_lost(None)
    await asyncio.gather(closing, return_exceptions=True)


async def test_pings_are_answered_for_as_long_as_answers_are_read(
    connect: Connect,
) -> None:
    socket = connect(WebSocket)
    socket.data_received(
        b"GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    socket.conn.send_response(socket.response)
    socket.conn.data_to_send()
    ping = b"\x89\x84\0\0\0\0ping"

    socket.data_received(ping)
    assert socket.transport.written == b"\x8a\x04ping"
    socket.pause_writing()
    socket.data_received(ping)
    assert socket.transport.written == b"\x8a\x04ping"
    socket.resume_writing()
    socket.data_received(ping)
    assert socket.transport.written == b"\x8a\x04ping" * 2
