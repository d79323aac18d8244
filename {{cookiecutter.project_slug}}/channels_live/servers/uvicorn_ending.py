"""How uvicorn ends: it answers whoever is connected, and tells its sockets to come back.

By itself it would close them in the middle of an answer, and drop requests that are on
their way.
"""

import asyncio
from select import select
from typing import Any

import uvicorn
from uvicorn.protocols.http import h11_impl

from channels_live.process import is_ending
from channels_live.servers import ending

# Turns of the event loop.
TURNS = 4

Server: Any = uvicorn.Server
Cycle: Any = h11_impl.RequestResponseCycle
_shutdown = Server.shutdown
_send = Cycle.send


async def end(server: Any, sockets: Any = None) -> None:
    connections = server.server_state.connections
    ending.begin()
    closing = asyncio.create_task(ending.close_sockets())
    is_shared = bool(sockets) or server.config.fd is not None
    await stop_listening(server, is_shared=is_shared)
    await ending.until(lambda: not any(map(is_http, connections)), ending.ASK)
    answered = ending.until(
        lambda: not any(map(is_answering, connections)), ending.FINISH
    )
    await asyncio.gather(closing, answered)
    await ending.leave()
    await ending.until(lambda: not any(map(is_closing, connections)), ending.ANSWER)
    await _shutdown(server, sockets)


async def stop_listening(server: Any, *, is_shared: bool) -> None:
    """Let in whoever waits to be, and close the door behind them.

    Those who wait at a socket that is shared are left to the other processes.
    """
    doors = [door.fileno() for one in server.servers for door in one.sockets]
    if is_shared:
        for door in doors:
            asyncio.get_running_loop().remove_reader(door)
    quiet = 0
    # Whom the event loop has let in gets a transport some turns later, or none once the
    # door is closed.
    while quiet < TURNS:
        is_waiting = not is_shared and bool(select(doors, [], [], 0)[0])
        quiet = 0 if is_waiting else quiet + 1
        await asyncio.sleep(0)
    for listening in server.servers:
        listening.close()


def is_http(connection: Any) -> bool:
    return hasattr(connection, "cycle")


def is_answering(connection: Any) -> bool:
    cycle = getattr(connection, "cycle", None)
    return cycle is not None and not cycle.response_complete


def is_closing(connection: Any) -> bool:
    return getattr(connection, "close_sent", False)


async def send(cycle: Any, message: Any) -> None:
    if is_ending() and message["type"] == "http.response.start":
        headers = [*message.get("headers", ()), (b"connection", b"close")]
        message = {**message, "headers": headers}
    await _send(cycle, message)


def install() -> None:
    Server.shutdown = end
    Cycle.send = send
