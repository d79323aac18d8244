"""How uvicorn ends: it answers whoever is connected, and tells its sockets to come back.

By itself it would close them in the middle of an answer, and drop requests that are on
their way.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http import h11_impl

from channels_live.process import is_ending
from channels_live.servers.ending import (
    ANSWER,
    ASK,
    FINISH,
    begin,
    close_sockets,
    leave,
    until,
)

Server: Any = uvicorn.Server
Cycle: Any = h11_impl.RequestResponseCycle


def make_end(shutdown: Any) -> Any:
    async def end(server: Any, sockets: Any = None) -> None:
        begin()
        closing = asyncio.create_task(close_sockets())
        is_shared = bool(sockets) or server.config.fd is not None
        await stop_listening(server, is_shared=is_shared)
        connections = server.server_state.connections
        await until(lambda: not any(map(is_http, connections)), ASK)
        answered = until(lambda: not any(map(is_answering, connections)), FINISH)
        await asyncio.gather(closing, answered)
        await leave()
        await until(lambda: not any(map(is_closing, connections)), ANSWER)
        await shutdown(server, sockets)

    return end


async def stop_listening(server: Any, *, is_shared: bool) -> None:
    """Let in whoever waits to be, and close the door behind them.

    Those who wait at a socket that is shared are left to the other processes. asyncio
    would drop those whom it has accepted, but not yet given a transport.
    """
    loop = asyncio.get_running_loop()
    guests: list[socket.socket] = []
    if isinstance(loop, asyncio.SelectorEventLoop):
        doors = [door for listening in server.servers for door in listening.sockets]
        for door in doors:
            loop.remove_reader(door.fileno())
        for _ in range(3):  # turns of the loop, until all have their transports
            await asyncio.sleep(0)
        if not is_shared:
            guests = [guest for door in doors for guest in accept(door)]
    for listening in server.servers:
        listening.close()
    welcomes = [welcome(server, guest) for guest in guests]
    await asyncio.gather(*welcomes, return_exceptions=True)


def accept(door: Any) -> Iterator[socket.socket]:
    with suppress(OSError), door.dup() as listener:  # until nobody is left
        while True:
            guest, _ = listener.accept()
            guest.setblocking(False)
            yield guest


async def welcome(server: Any, guest: socket.socket) -> None:
    def make_protocol() -> asyncio.Protocol:
        protocol: asyncio.Protocol = server.config.http_protocol_class(
            config=server.config,
            server_state=server.server_state,
            app_state=server.lifespan.state,
        )
        return protocol

    loop = asyncio.get_running_loop()
    async with asyncio.timeout(ASK):  # for TLS
        await loop.connect_accepted_socket(make_protocol, guest, ssl=server.config.ssl)


def is_http(connection: Any) -> bool:
    return hasattr(connection, "cycle")


def is_answering(connection: Any) -> bool:
    cycle = getattr(connection, "cycle", None)
    return cycle is not None and not cycle.response_complete


def is_closing(connection: Any) -> bool:
    return getattr(connection, "close_sent", False)


def make_send(send: Any) -> Any:
    async def send_and_close(cycle: Any, message: Any) -> None:
        if is_ending() and message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            message = {**message, "headers": headers}
        await send(cycle, message)

    return send_and_close


def install() -> None:
    Server.shutdown = make_end(Server.shutdown)
    Cycle.send = make_send(Cycle.send)
