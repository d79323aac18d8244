"""Whom uvicorn lets in at its end; that all are answered takes a server."""

import asyncio
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from channels_live.servers.uvicorn import stop_listening
from channels_live.testing import WAIT

GUESTS = 5


class Protocol(asyncio.Protocol):
    """Lets go of whoever comes, with a word."""

    def __init__(self, **kwargs: Any) -> None: ...

    def connection_made(self, transport: Any) -> None:
        transport.write(b"Welcome!")
        transport.close()


@pytest.fixture
async def server() -> AsyncIterator[Any]:
    """What this needs of uvicorn's server."""
    listening = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1")
    config = SimpleNamespace(http_protocol_class=Protocol, ssl=None)
    yield SimpleNamespace(
        servers=[listening],
        config=config,
        lifespan=SimpleNamespace(state={}),
        server_state=None,
    )
    listening.close()


def call(server: Any) -> list[socket.socket]:
    (door,) = server.servers[0].sockets
    return [socket.create_connection(door.getsockname()) for _ in range(GUESTS)]


async def hear(guest: socket.socket) -> bytes:
    reader, writer = await asyncio.open_connection(sock=guest)
    async with asyncio.timeout(WAIT):
        said = await reader.read()
    writer.close()
    return said


@pytest.mark.parametrize("turns", range(4))
async def test_who_has_connected_is_let_in(server: Any, turns: int) -> None:
    guests = call(server)
    for _ in range(turns):  # of the loop, so that some are let in by half
        await asyncio.sleep(0)

    await stop_listening(server, is_shared=False)

    assert [await hear(guest) for guest in guests] == GUESTS * [b"Welcome!"]
    assert not server.servers[0].is_serving()


async def test_who_waits_at_a_shared_socket_is_left_to_others(server: Any) -> None:
    (door,) = server.servers[0].sockets
    with door.dup() as shared:
        guests = call(server)

        await stop_listening(server, is_shared=True)

        for guest in guests:
            connection, _ = shared.accept()
            connection.close()
            guest.close()
