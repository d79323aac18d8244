"""Limits that daphne lacks: on what it believes, what it waits for and what it keeps.

It takes the mount point, and so where links lead, from a header of whoever asks: also
the link in an e-mail that resets somebody else's password. It ends in a traceback where
a WebSocket's protocol is no ASCII. And it waits for the head of a request for as long as
another byte of it comes now and then. A proxy in front prevents some of this; there may
be none.

It buffers whatever is sent to a socket that does not read, and whatever a socket sends
before it is read, without end. Here `send` completes when the buffer of the operating
system and at most 64 KB beside it have taken the frame, as in uvicorn; and a socket that
talks faster than it is listened to is closed. And whoever is closed is told why, which
daphne itself does for some codes only.
"""

import asyncio
from typing import Any

from autobahn.websocket import protocol as autobahn_protocol
from daphne import http_protocol
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.web.http import HTTPChannel

from channels_live.base.close_code import CloseCode

# Only who runs the server may set it: FORCE_SCRIPT_NAME or daphne's --root-path.
ROOT_PATH = b"daphne-root-path"
PROTOCOL = b"sec-websocket-protocol"
# Frames of one socket that wait to be read, and the largest that is received, in bytes.
MAX_UNREAD = 64
MAX_RECEIVED = 64 * 1024
# For how long a socket that is closed may take to answer, in seconds. One that has
# stalled reads why, if it goes on in time.
CLOSE_TIMEOUT = 30

Channel: Any = HTTPChannel
autobahn: Any = autobahn_protocol
_reset_timeout = Channel.resetTimeout
_handle_reply = Server.handle_reply


class WaryRequest(http_protocol.WebRequest):
    # Without the name of the server.
    error_template = "<!doctype html><title>%(title)s</title><p>%(body)s"

    def process(self) -> Any:
        self.requestHeaders.removeHeader(ROOT_PATH)
        protocols = self.requestHeaders.getRawHeaders(PROTOCOL, [])
        if not all(value.isascii() for value in protocols):
            self.basic_error(400, b"Bad Request", "Invalid Sec-WebSocket-Protocol")
            return None
        return super().process()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        super().basic_error(status, status_text, body.removeprefix("Daphne "))


def reset_timeout(self: Any) -> None:
    """Wait longer for the rest of a body alone, not for that of a head."""
    if self._transferDecoder is not None:
        _reset_timeout(self)


def log_nothing(self: Server, protocol: str, action: str, details: Any) -> None:
    """The access log has what daphne would log, with query strings."""


class PacedWebSocketProtocol(WebSocketProtocol):
    """Knows whether its socket takes more. Twisted tells it, as a push producer."""

    # RFC 6455 alone, none of its drafts.
    versions = (13,)
    paused: asyncio.Future[None] | None = None

    def onOpen(self) -> None:
        super().onOpen()
        self.transport.unregisterProducer()  # that was the HTTP request
        self.transport.registerProducer(self, True)
        self.closeHandshakeTimeout = CLOSE_TIMEOUT
        self.failByDrop = False

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if len(payload) > MAX_RECEIVED:
            self.serverClose(CloseCode.MESSAGE_TOO_BIG)
        elif self.application_queue.qsize() >= MAX_UNREAD:
            self.serverClose(CloseCode.POLICY_VIOLATION)
        else:
            super().onMessage(payload, isBinary)

    def onPing(self, payload: bytes) -> None:
        # Answers that nobody reads would pile up.
        if self.paused is None:
            super().onPing(payload)

    def serverSend(self, content: Any, binary: bool = False) -> None:
        # Whoever is closed meanwhile gets no more: no error of their consumer's.
        if self.state == self.STATE_OPEN:
            super().serverSend(content, binary)

    def serverClose(self, code: int | None = None) -> None:
        # Autobahn's sendClose() takes neither 1008 nor 1009, 1012 or 1013.
        self.sendCloseFrame(code=1000 if code is None else code)

    def connectionLost(self, reason: Any) -> None:
        self.resumeProducing()
        super().connectionLost(reason)

    def pauseProducing(self) -> None:
        if self.paused is None:
            self.paused = asyncio.get_running_loop().create_future()

    def resumeProducing(self) -> None:
        if self.paused is not None:
            self.paused.set_result(None)
            self.paused = None

    def stopProducing(self) -> None:
        self.resumeProducing()


async def handle_reply(self: Server, protocol: Any, message: Any) -> None:
    await _handle_reply(self, protocol, message)
    if message["type"] == "websocket.send" and protocol.paused is not None:
        await asyncio.shield(protocol.paused)


def install() -> None:
    """Have daphne use it, whether started as `daphne` or by runserver."""
    http_protocol.WebRequest = WaryRequest
    Channel.resetTimeout = reset_timeout
    Server.log_action = log_nothing
    autobahn.pformat = str  # of a connection, for a log that is off
    WebSocketFactory.protocol = PacedWebSocketProtocol
    Server.handle_reply = handle_reply
