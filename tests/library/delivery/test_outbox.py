import asyncio
from typing import Any

from channels_live.delivery.outbox import MAX_WAITING, Outbox


class Socket:
    """A socket that takes frames only while it is open."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.overflows = 0
        self.open = asyncio.Event()
        self.open.set()
        self.outbox = Outbox(self.send, on_overflow=self.overflow)

    async def send(self, message: dict[str, Any]) -> None:
        self.frames.append(message["text"])
        await self.open.wait()

    def overflow(self) -> None:
        self.overflows += 1

    async def reopen(self) -> None:
        self.open.set()
        await self.outbox.drain()


async def test_a_frame_goes_out_at_once() -> None:
    socket = Socket()

    socket.outbox.write("a")
    socket.outbox.write_message({"type": "websocket.send", "text": "b"})

    assert socket.frames == ["a", "b"]


async def test_what_a_slow_socket_misses_is_set_aside_and_joined() -> None:
    socket = Socket()
    socket.open.clear()

    socket.outbox.write("a")
    socket.outbox.write("b")
    socket.outbox.write_message({"type": "websocket.send", "text": "c"})
    assert socket.frames == ["a"]

    await socket.reopen()
    assert socket.frames == ["a", "bc"]


async def test_a_socket_that_was_slow_is_written_to_as_before() -> None:
    socket = Socket()
    socket.open.clear()
    socket.outbox.write("a")
    await socket.reopen()

    socket.outbox.write("b")

    assert socket.frames == ["a", "b"]
    assert not socket.outbox.closed


async def test_falling_too_far_behind_is_reported_once() -> None:
    socket = Socket()
    socket.open.clear()
    half = "x" * (MAX_WAITING // 2)

    for _ in range(3):
        socket.outbox.write(half)
    assert socket.overflows == 0

    for _ in range(10):
        socket.outbox.write(half)
    assert socket.overflows == 1

    await socket.reopen()
    assert socket.frames == [half]


async def test_catching_up_makes_room_again() -> None:
    socket = Socket()
    most = "x" * MAX_WAITING

    for _ in range(3):
        socket.open.clear()
        socket.outbox.write("a")
        socket.outbox.write(most)
        await socket.reopen()

    assert socket.overflows == 0


async def test_an_error_of_the_server_closes_it_quietly() -> None:
    tries: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        tries.append(message["text"])
        raise ConnectionResetError

    outbox = Outbox(send, on_overflow=tries.clear)
    outbox.write("a")
    outbox.write("b")

    assert tries == ["a"]
    assert outbox.closed


async def test_a_closed_one_drops_what_waits_and_what_comes() -> None:
    socket = Socket()
    socket.open.clear()
    socket.outbox.write("a")
    socket.outbox.write("b")

    socket.outbox.close()
    socket.outbox.write("c")
    await socket.reopen()

    assert socket.frames == ["a"]
