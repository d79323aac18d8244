"""What uvicorn lacks: an end without loss, and limits on whatever it waits for."""

import asyncio
import logging
from select import select
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http import h11_impl
from uvicorn.protocols.websockets import websockets_sansio_impl

from channels_live import conf
from channels_live.observe import metrics
from channels_live.process import is_ending
from channels_live.servers import accepting, ending
from channels_live.servers.door import refuse_new

logger = logging.getLogger(__name__)

# For how long the head of a request is waited for, in seconds.
HEAD_TIMEOUT = 30
# For how long a connection that is closed may take to read what it was sent, and a
# response may not be read at all, in seconds.
CLOSE_TIMEOUT = 30
SEND_TIMEOUT = 60
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
_receive = Cycle.receive
_run = Cycle.run_asgi
_run_socket = WebSocket.run_asgi
_send_to_socket = WebSocket.send
_lose = WebSocket.connection_lost
_end_keepalive = WebSocket.keepalive_timeout
_shutdown = Server.shutdown


def connection_made(self: Any, transport: Any) -> None:
    _connection_made(self, transport)
    self.timer = self.awaited = None
    wait_for(self, "head", HEAD_TIMEOUT)


def data_received(self: Any, data: bytes) -> None:
    _data_received(self, data)
    if self.conn.their_state is h11.SEND_BODY:
        wait_for(self, self.cycle, conf.get("BODY_SECONDS"))
    elif self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
        wait_for(self, "head", HEAD_TIMEOUT)
    else:
        wait_for(self, None, 0)


def wait_for(http: Any, awaited: Any, seconds: float) -> None:
    """Wait no longer for a head, or for the body of a request; or else for nothing."""
    if http.awaited is not awaited:
        if http.timer:
            http.timer.cancel()
        close = http.transport.close
        http.timer = http.loop.call_later(seconds, close) if awaited else None
        http.awaited = awaited


async def run(cycle: Any, application: Any) -> None:
    """Refuse a body that is too large by what its head says."""
    cycle.size = 0
    length = dict(cycle.scope["headers"]).get(b"content-length", b"0")
    is_large = int(length) > conf.get("BODY_SIZE")
    await _run(cycle, refuse if is_large else application)


async def receive(cycle: Any) -> Any:
    """Refuse a body that turns out to be too large."""
    message = await _receive(cycle)
    cycle.size += len(message.get("body", b""))
    if cycle.size <= conf.get("BODY_SIZE"):
        return message
    if not cycle.response_started:
        await refuse(cycle.scope, None, cycle.send)
    return {"type": "http.disconnect"}


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body"})


async def run_socket(socket: Any) -> None:
    await _run_socket(socket)
    cut_later(socket)


async def send_to_socket(socket: Any, message: Any) -> None:
    if message["type"] == "websocket.close":
        cut_later(socket)  # it may wait until something is read
    await _send_to_socket(socket, message)


def end_keepalive(socket: Any) -> None:
    _end_keepalive(socket)
    cut_later(socket)


def cut_later(socket: Any) -> None:
    """Have a connection that is closed cut, if nothing is read there any more."""
    if not socket.disconnected and not hasattr(socket, "cut_timer"):
        socket.cut_timer = socket.loop.call_later(CLOSE_TIMEOUT, cut, socket)


def cut(socket: Any) -> None:
    metrics.aborted.inc()
    logger.warning("A WebSocket reads nothing, not even its end: it is cut.")
    socket.transport.abort()


def lose(socket: Any, error: Exception | None) -> None:
    _lose(socket, error)
    if timer := getattr(socket, "cut_timer", None):
        timer.cancel()


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
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            await _send(cycle, message)
    except TimeoutError:
        cycle.transport.abort()
        return
    if cycle.transport.is_closing():
        loop = asyncio.get_running_loop()
        loop.call_later(CLOSE_TIMEOUT, cycle.transport.abort)


def install() -> None:
    accepting.install()
    Http.connection_made = connection_made
    Http.data_received = data_received
    Cycle.run_asgi = run
    Cycle.receive = receive
    Cycle.send = send
    WebSocket.connection_lost = lose
    WebSocket.run_asgi = run_socket
    WebSocket.send = send_to_socket
    WebSocket.keepalive_timeout = end_keepalive
    WebSocket.handle_ping = handle_ping
    Server.shutdown = end
