"""Whom uvicorn lets in at its end; that all are answered takes a server."""

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from channels_live.servers import ending, uvicorn
from channels_live.testing import WAIT

GUESTS = 20


class Protocol(asyncio.Protocol):
    """Lets go of whoever comes, with a word."""

    def connection_made(self, transport: Any) -> None:
        transport.write(b"Welcome!")
        transport.close()


@pytest.fixture
async def listening(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Server]:
    """What uvicorn listens with. It ends with no more than that here."""

    async def nothing(*args: Any) -> None: ...

    monkeypatch.setattr(ending, "see_to_the_end", lambda: None)
    monkeypatch.setattr(ending, "KNOCK", 0)  # as for a loop that is busy
    monkeypatch.setattr(ending, "finish", nothing)
    monkeypatch.setattr(uvicorn, "_shutdown", nothing)
    listening = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1")
    yield listening
    listening.close()


async def end(listening: asyncio.Server, fd: int | None) -> None:
    await uvicorn.shut_down(
        SimpleNamespace(
            servers=[listening],
            config=SimpleNamespace(fd=fd),
            server_state=SimpleNamespace(connections=set()),
        )
    )


def call(listening: asyncio.Server) -> list[socket.socket]:
    (door,) = listening.sockets
    return [socket.create_connection(door.getsockname()) for _ in range(GUESTS)]


async def hear(guest: socket.socket) -> bytes:
    reader, writer = await asyncio.open_connection(sock=guest)
    async with asyncio.timeout(WAIT):
        said = await reader.read()
    writer.close()
    return said


@pytest.mark.parametrize("turns", range(4))
async def test_who_has_connected_is_let_in(
    listening: asyncio.Server, turns: int
) -> None:
    guests = call(listening)
    for _ in range(turns):  # of the loop, so that some are let in by half
        await asyncio.sleep(0)

    await end(listening, fd=None)

    assert [await hear(guest) for guest in guests] == GUESTS * [b"Welcome!"]
    assert not listening.is_serving()


async def test_who_waits_at_a_shared_socket_is_left_to_others(
    listening: asyncio.Server,
) -> None:
    (door,) = listening.sockets
    with door.dup() as shared:
        guests = call(listening)

        await end(listening, fd=3)

        for guest in guests:
            connection, _ = shared.accept()
            connection.close()
            guest.close()
