"""What uvicorn lacks: an end without loss, and limits on pings and heads of requests."""

import asyncio
from select import select
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http import h11_impl
from uvicorn.protocols.websockets import websockets_sansio_impl

from channels_live.process import is_ending
from channels_live.servers import ending
from channels_live.servers.door import refuse_new

# For how long the head of a request is waited for, in seconds.
HEAD_TIMEOUT = 30
# Turns of the event loop.
TURNS = 4

# Of the protocols that projects choose.
Http: Any = h11_impl.H11Protocol
Cycle: Any = h11_impl.RequestResponseCycle
WebSocket: Any = websockets_sansio_impl.WebSocketsSansIOProtocol
Server: Any = uvicorn.Server

_connection_made = Http.connection_made
_data_received = Http.data_received
_send = Cycle.send
_shutdown = Server.shutdown


def connection_made(self: Any, transport: Any) -> None:
    _connection_made(self, transport)
    start_timer(self)


def data_received(self: Any, data: bytes) -> None:
    _data_received(self, data)
    is_within_head = self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]
    if not is_within_head and self.head_timer:
        self.head_timer.cancel()
        self.head_timer = None
    elif is_within_head and not self.head_timer:
        start_timer(self)


def start_timer(http: Any) -> None:
    http.head_timer = http.loop.call_later(HEAD_TIMEOUT, http.transport.close)


def handle_ping(self: Any) -> None:
    answer = b"".join(self.conn.data_to_send())
    if self.writable.is_set():
        self.transport.write(answer)


async def end(server: Any, sockets: Any = None) -> None:
    connections = server.server_state.connections
    ending.begin()
    is_shared = bool(sockets) or server.config.fd is not None
    await stop_listening(server, is_shared=is_shared)
    await ending.finish(
        is_open=lambda: any(hasattr(one, "cycle") for one in connections),
        is_answering=lambda: any(map(is_answering, connections)),
    )
    await ending.until(lambda: not any(map(is_closing, connections)), ending.ANSWER)
    await _shutdown(server, sockets)


async def stop_listening(server: Any, *, is_shared: bool) -> None:
    """Let in whoever waits to be, and close the door behind them.

    Those who wait at a socket that is shared are left to the other processes.
    """
    listeners = [listener for one in server.servers for listener in one.sockets]
    doors = [listener.fileno() for listener in listeners]
    for listener in listeners:
        if is_shared:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        else:
            refuse_new(listener)
    # Whom the event loop has let in gets a transport some turns later, or none once the
    # door is closed. Nothing is awaited between the last look and that.
    quiet = 0
    while quiet < TURNS:
        await asyncio.sleep(0)
        is_waiting = not is_shared and bool(select(doors, [], [], 0)[0])
        quiet = 0 if is_waiting else quiet + 1
    for listening in server.servers:
        listening.close()


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
    Http.connection_made = connection_made
    Http.data_received = data_received
    Cycle.send = send
    WebSocket.handle_ping = handle_ping
    Server.shutdown = end
