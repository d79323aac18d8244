"""What uvicorn lacks for each WebSocket: quick writes, and limits on what clients send."""

import logging
import math
from typing import Any

from uvicorn.protocols.websockets import websockets_sansio_impl
from websockets.protocol import OPEN

from channels_live.base.frames import frame_bytes
from channels_live.servers.inbox import use_inbox

logger = logging.getLogger(__name__)
# Of single WebSockets, which the access log has. What clients send is no error here.
quiet = logging.getLogger("uvicorn.error.websocket")
quiet.addFilter(lambda record: not str(record.msg).startswith("Invalid UTF-8"))

# How often pings are sent, to some of the sockets each time.
PINGS_PER_SECOND = 4

# The protocol that projects choose.
WebSocket: Any = websockets_sansio_impl.WebSocketsSansIOProtocol

_send_event = WebSocket.send
_data_received = WebSocket.data_received
_deliver = WebSocket.send_receive_event_to_app


async def send_event(self: Any, event: Any) -> None:
    """Write a text to an open socket: its frame is made once, and not for each socket."""
    text = event.get("text")
    if (
        text
        and self.conn.state is OPEN
        and not (self.conn.extensions or self.close_sent or self.disconnected)
        and self.writable.is_set()
    ):
        self.transport.write(frame_bytes(text))
        return
    if event["type"] == "websocket.close":
        self.writable.set()  # it would wait for those too who read nothing any more
    await self.writable.wait()
    if not self.close_sent:
        await _send_event(self, event)
        if event["type"] == "websocket.accept":
            # The heads, which are not asked for again, take 4 KB.
            self.request.headers.clear()
            self.response.headers.clear()


def data_received(self: Any, data: bytes) -> None:
    """Answer a head that is refused, and end a connection that does not await its answer.

    uvicorn would keep both: the one open for ever, the other with a traceback.
    """
    if not self.handshake_initiated:
        self.logger = self.conn.logger = quiet
    elif not self.handshake_complete:
        self.transport.abort()
        return
    _data_received(self, data)
    if not self.handshake_initiated:
        logger.warning("A WebSocket is refused: %s.", self.conn.handshake_exc)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()


def deliver(self: Any) -> None:
    """Give the application a frame, and read on if it is the only one.

    uvicorn would stop reading, and go on at once.
    """
    is_first = self.queue.empty()
    self.read_paused = self.read_paused or is_first
    _deliver(self)
    if is_first:
        self.read_paused = False


def handle_ping(self: Any) -> None:
    # Answers that nobody reads would pile up.
    answer = b"".join(self.conn.data_to_send())
    if self.writable.is_set() and not self.close_sent:
        self.transport.write(answer)


def schedule_ping(self: Any) -> None:
    """Ping together with all that are due in the same moment, whose answers come together.

    To wake the process for each would cost as much as the pings do.
    """
    due = self.loop.time() + self.ping_interval - self.last_ping_rtt
    at = math.ceil(due * PINGS_PER_SECOND) / PINGS_PER_SECOND
    self.ping_timer = self.loop.call_at(at, self.send_keepalive_ping)


def install() -> None:
    quiet.setLevel(logging.WARNING)
    use_inbox(websockets_sansio_impl)
    WebSocket.send = send_event
    WebSocket.data_received = data_received
    WebSocket.send_receive_event_to_app = deliver
    WebSocket.handle_ping = handle_ping
    WebSocket.schedule_ping = schedule_ping
