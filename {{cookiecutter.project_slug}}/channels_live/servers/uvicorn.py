"""What uvicorn lacks: an end without loss, and limits on what it waits for."""

import asyncio
import logging
import socket
import struct
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http import h11_impl

from channels_live import conf
from channels_live.observe import metrics
from channels_live.process import is_ending
from channels_live.servers import accepting, ending, uvicorn_websocket
from channels_live.servers.uvicorn_websocket import WebSocket

logger = logging.getLogger(__name__)

# For how long the head of a request is waited for, in seconds.
HEAD_TIMEOUT = 30
# For how long a connection may take no byte of what it is sent: one that is closed, and
# one that is not, in seconds.
CLOSE_TIMEOUT = 30
SEND_TIMEOUT = 60
# Ends a connection without what the kernel still has for its other side: it would keep that,
# and offer it, for minutes.
RESET = struct.pack("ii", 1, 0)
# How often connections are looked at: ticks of the server, each a tenth of a second.
TICKS = 50

# Of the protocols that projects choose.
Http: Any = h11_impl.H11Protocol
Cycle: Any = h11_impl.RequestResponseCycle
Server: Any = uvicorn.Server

_receive = Cycle.receive
_send = Cycle.send
_tick = Server.on_tick
_shutdown = Server.shutdown


async def tick(server: Any, counter: int) -> Any:
    if counter % TICKS == 0:
        now = asyncio.get_running_loop().time()
        for connection in list(server.server_state.connections):
            look_at(connection, now)
    return await _tick(server, counter)


def look_at(connection: Any, now: float) -> None:
    """Abort a connection that waits too long for its other side."""
    awaited, patience = find_awaited(connection)
    if getattr(connection, "awaited", ()) != awaited:
        connection.awaited, connection.began = awaited, now
    elif awaited and now - connection.began > patience:
        if isinstance(connection, WebSocket):
            metrics.aborted.inc()
            logger.warning("A client reads nothing, not even its close frame: cut off.")
        end = connection.transport.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.transport.abort()


def find_awaited(connection: Any) -> tuple[Any, float]:
    """Return what a connection waits for, which differs once there is progress.

    And for how many seconds it may; it is None where nobody is waited for.
    """
    transport = connection.transport
    if transport.is_closing() or is_closing(connection):
        return ("end", transport.get_write_buffer_size()), CLOSE_TIMEOUT
    if not isinstance(connection, Http):
        return None, 0
    if connection.flow.write_paused:
        return ("reader", transport.get_write_buffer_size()), SEND_TIMEOUT
    they = connection.conn.their_state
    if they is h11.SEND_BODY:
        return ("body", connection.cycle), conf.get("BODY_SECONDS")
    if they is h11.IDLE and not connection.timeout_keep_alive_task:
        return ("head", connection.cycle), HEAD_TIMEOUT
    return None, 0


async def receive(cycle: Any) -> Any:
    """Refuse a body that is too large. The rest of it is read and not kept."""
    message = await _receive(cycle)
    cycle.size = getattr(cycle, "size", 0) + len(message.get("body", b""))
    if cycle.size <= conf.get("BODY_SIZE"):
        return message
    if not cycle.response_started:
        await cycle.send({"type": "http.response.start", "status": 413})
        await cycle.send({"type": "http.response.body"})
    return {"type": "http.disconnect"}


async def send(cycle: Any, message: Any) -> None:
    if is_ending() and message["type"] == "http.response.start":
        headers = [*message.get("headers", ()), (b"connection", b"close")]
        message = {**message, "headers": headers}
    await _send(cycle, message)


async def shut_down(server: Any, sockets: Any = None) -> None:
    connections = server.server_state.connections
    ports = [port for listening in server.servers for port in listening.sockets]
    if sockets or server.config.fd is not None:
        for port in ports:  # those who wait there are left to the other processes
            asyncio.get_running_loop().remove_reader(port.fileno())
        ports = []
    await ending.begin(ports)
    for listening in server.servers:
        listening.close()
    await ending.finish(lambda: any(map(is_answering, connections)))
    await ending.until(lambda: not any(map(is_closing, connections)), ending.ANSWER)
    for connection in list(connections):
        if find_awaited(connection)[0]:  # who has not read or said enough by now
            connection.transport.abort()
    await _shutdown(server, sockets)


def is_answering(connection: Any) -> bool:
    cycle = getattr(connection, "cycle", None)
    return cycle is not None and not cycle.response_complete


def is_closing(connection: Any) -> bool:
    return getattr(connection, "close_sent", False)


def install() -> None:
    accepting.install()
    uvicorn_websocket.install()
    Cycle.receive = receive
    Cycle.send = send
    Server.on_tick = tick
    Server.shutdown = shut_down
