"""Limits that uvicorn leaves to a proxy in front; there may be none.

Somebody who sends pings and reads none of the answers would fill the memory with them,
and somebody who never finishes the head of a request would keep a connection for ever.
"""

from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets import websockets_sansio_impl

# For how long the head of a request is waited for, in seconds.
HEAD_TIMEOUT = 30

Http: Any = H11Protocol
WebSocket: Any = websockets_sansio_impl.WebSocketsSansIOProtocol

_connection_made = Http.connection_made
_data_received = Http.data_received


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


def install() -> None:
    """Have uvicorn use it, in the HTTP and WebSocket protocols that projects choose."""
    Http.connection_made = connection_made
    Http.data_received = data_received
    WebSocket.handle_ping = handle_ping
