"""Back-pressure for daphne, in both directions.

Daphne buffers whatever is sent to a socket that does not read, and whatever a socket
sends before it is read, without end. Here `send` completes when the buffer of the
operating system and at most 64 KB beside it have taken the frame, as in uvicorn; and
a socket that talks faster than it is listened to is closed.
"""

import asyncio
from typing import Any

from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from apps.realtime.codes import POLICY_VIOLATION

# Frames of one socket that wait to be read.
MAX_UNREAD = 64

_handle_reply = Server.handle_reply


class PacedWebSocketProtocol(WebSocketProtocol):  # type: ignore[misc]
    """Knows whether its socket takes more. Twisted tells it, as a push producer."""

    paused: asyncio.Future[None] | None = None

    def onOpen(self) -> None:  # noqa: N802
        super().onOpen()
        self.transport.unregisterProducer()  # that was the HTTP request
        self.transport.registerProducer(self, True)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803
        if self.application_queue.qsize() < MAX_UNREAD:
            super().onMessage(payload, isBinary)
        else:
            self.sendClose(code=POLICY_VIOLATION)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.resumeProducing()
        super().connectionLost(reason)

    def pauseProducing(self) -> None:  # noqa: N802
        if self.paused is None:
            self.paused = asyncio.get_running_loop().create_future()

    def resumeProducing(self) -> None:  # noqa: N802
        if self.paused is not None:
            self.paused.set_result(None)
            self.paused = None

    def stopProducing(self) -> None:  # noqa: N802
        self.resumeProducing()


async def handle_reply(self: Server, protocol: Any, message: Any) -> None:
    await _handle_reply(self, protocol, message)
    if message["type"] == "websocket.send" and protocol.paused is not None:
        await asyncio.shield(protocol.paused)


def install() -> None:
    """Have daphne use it, whether started as `daphne` or by runserver."""
    WebSocketFactory.protocol = PacedWebSocketProtocol
    Server.handle_reply = handle_reply
