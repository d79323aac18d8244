"""How uvicorn ends: it answers whoever is connected, and tells its sockets to come back.

By itself it would close them in the middle of an answer, and drop requests that are on
their way.
"""

import asyncio
import socket
import sys
from collections.abc import Iterator
from typing import Any

from apps.realtime.shutdown import ANSWER, ASK, farewell, leave, see_to_the_end, until


def make_end(shutdown: Any) -> Any:
    async def end(server: Any, sockets: Any = None) -> None:
        see_to_the_end()
        saying = asyncio.create_task(farewell.say())
        await stop_listening(server)
        state = server.server_state
        # Not for those who have asked already: it may be a socket that is being opened.
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        await until(lambda: not any(map(is_http, state.connections)), ASK)
        await saying
        await until(lambda: not any(map(is_closing, state.connections)), ANSWER)
        await shutdown(server, sockets)
        await leave()

    return end


async def stop_listening(server: Any) -> None:
    """Let in whoever waits to be, and close the door behind them in the same moment.

    asyncio would drop those whom it has accepted, but not yet given a transport.
    """
    loop = asyncio.get_running_loop()
    waiting: list[socket.socket] = []
    if isinstance(loop, asyncio.SelectorEventLoop):
        doors = [door for listening in server.servers for door in listening.sockets]
        for door in doors:
            loop.remove_reader(door.fileno())
        for _ in range(3):  # turns of the loop, until all have their transports
            await asyncio.sleep(0)
        waiting = [guest for door in doors for guest in accept(door)]
    for listening in server.servers:
        listening.close()
    for guest in waiting:
        await loop.connect_accepted_socket(
            lambda: make_protocol(server), guest, ssl=server.config.ssl
        )


def accept(door: Any) -> Iterator[socket.socket]:
    with door.dup() as listener:
        while True:
            try:
                guest, _ = listener.accept()
            except OSError:
                return
            guest.setblocking(False)
            yield guest


def make_protocol(server: Any) -> asyncio.Protocol:
    protocol: asyncio.Protocol = server.config.http_protocol_class(
        config=server.config,
        server_state=server.server_state,
        app_state=server.lifespan.state,
    )
    return protocol


def is_http(connection: Any) -> bool:
    return hasattr(connection, "cycle")


def is_closing(connection: Any) -> bool:
    return getattr(connection, "close_sent", False)


def install() -> None:
    """Have uvicorn end in this way, if it is the server of this process."""
    if uvicorn := sys.modules.get("uvicorn"):
        uvicorn.Server.shutdown = make_end(uvicorn.Server.shutdown)
