"""Whom uvicorn waits for, and what it answers."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_django import Settings
from uvicorn import Config
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from channels_live.base.frames import frame_bytes
from channels_live.observe import metrics
from channels_live.servers import accepting, uvicorn
from channels_live.servers.uvicorn import (
    CLOSE_TIMEOUT,
    HEAD_TIMEOUT,
    SEND_TIMEOUT,
    Http,
)
from channels_live.servers.uvicorn_websocket import WebSocket

HEAD = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
UPGRADE = HEAD[:-2] + (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TEXT = b"\x81\x81\0\0\0\0x"
NO_UTF8 = b"\x81\x81\0\0\0\0\xff"
PING = b"\x89\x84\0\0\0\0ping"

Connect = Callable[[Any], Any]


class Transport(asyncio.Transport):
    """Notes what is written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__({"socket": socket.socket()})
        self.written = b""
        self.unread = 0
        self.is_closed = self.is_aborted = self.is_paused = False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_write_buffer_size(self) -> int:
        return self.unread

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...


async def application(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(60)


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes a connection, whose transport tells what came of it."""
    config = Config(application, log_config=None)
    config.load()
    connections = []

    def connect(protocol: Any) -> Any:
        made = protocol(config=config, server_state=ServerState(), app_state={})
        connections.append(made)
        made.connection_made(Transport())
        return made

    yield connect
    for connection in connections:
        connection.connection_lost(None)  # or uvicorn waits for its reader for ever
        connection.transport.get_extra_info("socket").close()


def is_cut(connection: Any, after: float, began: float = 0) -> bool:
    """Whether a connection is cut that is looked at now and then."""
    for second in range(int(after) + 1):
        uvicorn.look_at(connection, began + second)
    return bool(connection.transport.is_aborted)


async def test_who_says_nothing_is_not_waited_for(connect: Connect) -> None:
    http = connect(Http)

    assert not is_cut(http, HEAD_TIMEOUT)
    assert is_cut(http, HEAD_TIMEOUT + 1)


async def test_who_never_comes_to_an_end_is_not_waited_for(connect: Connect) -> None:
    http = connect(Http)
    for number in range(10):
        http.data_received(HEAD[number : number + 1])
        uvicorn.look_at(http, 4 * number)

    assert http.transport.is_aborted


async def test_who_has_asked_is_answered_however_long_that_takes(
    connect: Connect,
) -> None:
    http = connect(Http)

    http.data_received(HEAD[:10])
    http.data_received(HEAD[10:])

    assert not is_cut(http, 1000)


async def test_a_body_that_does_not_come_is_not_waited_for(
    connect: Connect, settings: Settings
) -> None:
    settings.CHANNELS_LIVE = {"BODY_SECONDS": 10}
    http = connect(Http)
    http.data_received(HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 1000\r\n\r\n"))

    for number in range(10):
        http.data_received(b"x")
        uvicorn.look_at(http, 1 + number)
    assert not http.transport.is_aborted
    uvicorn.look_at(http, 12)

    assert http.transport.is_aborted


async def test_a_response_is_cut_once_no_byte_of_it_is_read(connect: Connect) -> None:
    http = connect(Http)
    http.data_received(HEAD)
    http.pause_writing()

    for number in range(100):
        http.transport.unread = 1000 - number
        uvicorn.look_at(http, SEND_TIMEOUT * number)
    assert not http.transport.is_aborted

    assert is_cut(http, SEND_TIMEOUT + 1, began=SEND_TIMEOUT * number)


async def test_a_socket_that_is_closed_and_does_not_read_is_cut(
    connect: Connect,
) -> None:
    before = metrics.aborted._value.get()
    socket = connect(WebSocket)

    assert not is_cut(socket, 1000)
    socket.transport.close()
    assert not is_cut(socket, CLOSE_TIMEOUT)
    assert is_cut(socket, CLOSE_TIMEOUT + 1)

    assert metrics.aborted._value.get() > before


async def test_no_more_is_read_while_two_frames_wait(connect: Connect) -> None:
    socket = connect(WebSocket)
    socket.data_received(UPGRADE)
    await socket.receive()
    await socket.send({"type": "websocket.accept"})

    socket.data_received(TEXT)
    assert not socket.transport.is_paused
    socket.data_received(TEXT)
    assert socket.transport.is_paused
    await socket.receive()
    assert socket.transport.is_paused
    await socket.receive()
    assert not socket.transport.is_paused


async def test_the_access_log_alone_has_a_single_websocket(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    socket = connect(WebSocket)

    socket.data_received(UPGRADE)
    await socket.send({"type": "websocket.accept"})
    socket.data_received(NO_UTF8)
    assert socket.close_sent
    assert not caplog.records

    socket.logger.error("Exception in ASGI application")
    assert caplog.records


async def test_heads_are_forgotten_with_the_handshake(connect: Connect) -> None:
    socket = connect(WebSocket)
    socket.data_received(UPGRADE)

    await socket.send({"type": "websocket.accept", "headers": [(b"x-one", b"1")]})

    assert b"\r\nx-one: 1\r\n" in socket.transport.written
    assert not socket.request.headers
    assert not socket.response.headers
    assert (b"Host", b"example.org") in socket.scope["headers"]


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (b"Cookie: " + b"a" * 9000, b"HTTP/1.1 431 "),
        (b"X: 1\r\n" * 130 + b"X: 1", b"HTTP/1.1 431 "),
        (b"Content-Length: 5", b""),
    ],
)
async def test_a_head_that_is_refused_is_answered_and_the_connection_closed(
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    header: bytes,
    answer: bytes,
) -> None:
    socket = connect(WebSocket)

    socket.data_received(UPGRADE[:-2] + header + b"\r\n\r\n")

    assert socket.transport.written.startswith(answer)
    assert socket.transport.is_closed
    assert "A WebSocket is refused: " in caplog.text


async def test_frames_before_the_answer_end_the_connection(connect: Connect) -> None:
    socket = connect(WebSocket)
    socket.data_received(UPGRADE)

    socket.data_received(NO_UTF8)

    assert socket.transport.is_aborted


async def test_who_reads_nothing_is_closed_all_the_same(connect: Connect) -> None:
    socket = connect(WebSocket)
    socket.data_received(UPGRADE)
    await socket.send({"type": "websocket.accept"})
    socket.pause_writing()
    unread = socket.send({"type": "websocket.send", "text": "unread"})
    sending = asyncio.create_task(unread)
    await asyncio.sleep(0)
    socket.transport.written = b""

    await socket.send({"type": "websocket.close", "code": 1013})
    await sending
    socket.data_received(PING)

    assert socket.transport.written == b"\x88\x02\x03\xf5"
    assert is_cut(socket, CLOSE_TIMEOUT + 1)


async def test_pings_are_answered_for_as_long_as_answers_are_read(
    connect: Connect,
) -> None:
    socket = connect(WebSocket)
    socket.data_received(UPGRADE)
    await socket.send({"type": "websocket.accept"})
    socket.transport.written = b""

    socket.data_received(PING)
    assert socket.transport.written == b"\x8a\x04ping"
    socket.pause_writing()
    socket.data_received(PING)
    assert socket.transport.written == b"\x8a\x04ping"
    socket.resume_writing()
    socket.data_received(PING)
    assert socket.transport.written == b"\x8a\x04ping" * 2


@pytest.mark.parametrize("is_ending", [True, False])
def test_a_process_that_ends_lets_nobody_in_any_more(
    monkeypatch: pytest.MonkeyPatch, *, is_ending: bool
) -> None:
    monkeypatch.setattr(accepting, "is_ending", lambda: is_ending)
    served: list[object] = []
    loop = SimpleNamespace(_start_serving=lambda factory, door: served.append(door))

    with socket.socket() as door:
        accepting.go_on(loop, None, door)

        assert served == ([] if is_ending else [door])


def test_without_a_limit_of_descriptors_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: -1)  # as of `ulimit -n unlimited`

    assert accepting.has_room()


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536])
def test_a_frame_is_as_websockets_makes_it(size: int) -> None:
    text = "é" * (size // 2) + "x" * (size % 2)
    frame = Frame(Opcode.TEXT, text.encode())

    assert frame_bytes(text) == frame.serialize(mask=False)


async def test_pings_that_are_due_in_the_same_moment_go_together(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    due = []
    for now in (100.05, 100.2, 100.3):
        monkeypatch.setattr(loop, "time", lambda now=now: now)
        connection = connect(WebSocket)
        connection.ping_interval = 45
        connection.schedule_ping()
        connection.ping_timer.cancel()
        due.append(connection.ping_timer.when())

    assert due == [145.25, 145.25, 145.5]
