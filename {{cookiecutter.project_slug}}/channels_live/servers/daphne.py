"""What daphne lacks: limits, on what it believes and on what it keeps, and an end.

It believes a header about the mount point, and so about where the links in its e-mails
lead. It buffers without end what sockets do not read, and what they send faster than it
is read. Here `send` completes when the operating system and a buffer of 64 KB have taken
the frame, as in uvicorn, and who sends too fast is closed. And it drops the headers of an
accept and the reason of a close.
"""

import asyncio
import logging
from typing import Any, cast

from autobahn.websocket import protocol as autobahn_protocol
from daphne import http_protocol
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.main import CONNECTION_DONE
from twisted.web.http import HTTPChannel

from channels_live import conf
from channels_live.base.close_code import CloseCode
from channels_live.process import is_ending
from channels_live.servers import ending
from channels_live.servers.door import refuse_new

logger = logging.getLogger(__name__)

# Only who runs the server may set it: FORCE_SCRIPT_NAME or daphne's --root-path.
ROOT_PATH = b"daphne-root-path"
PROTOCOL = b"sec-websocket-protocol"
# Frames of one socket that wait to be read, and the largest that is received, in bytes.
MAX_UNREAD = 64
MAX_RECEIVED = 64 * 1024
# For how long a socket that is closed may take to answer, in seconds. One that has
# stalled reads why, if it goes on in time.
CLOSE_TIMEOUT = 30
TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)
# Connections that are let in at once, of those that wait to be.
BACKLOG = 1000

Channel: Any = HTTPChannel
autobahn: Any = autobahn_protocol
_reactor = cast(Any, reactor)
_reset_timeout = Channel.resetTimeout
_handle_reply = Server.handle_reply


class WaryRequest(http_protocol.WebRequest):
    # Without the name of the server.
    error_template = "<!doctype html><title>%(title)s</title><p>%(body)s"
    deadline: Any = None
    is_refused = False

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        self._parsePOSTFormSubmission = False  # Django does, where a view asks
        if length != 0:
            self.deadline = _reactor.callLater(conf.get("BODY_SECONDS"), self.give_up)
        self.check_size(length or 0)

    def handleContentChunk(self, data: bytes) -> None:
        super().handleContentChunk(data)
        self.check_size(self.content.tell())

    def check_size(self, size: int) -> None:
        """Refuse a body that is too large. The rest of it is read and not kept."""
        if size > conf.get("BODY_SIZE") and not self.is_refused:
            self.is_refused = True
            self.channel.transport.write(TOO_LARGE)
            self.channel.dataReceived = lambda data: None

    def give_up(self) -> None:
        self.deadline = None
        self.channel.forceAbortClient()

    def stop_waiting(self) -> None:
        if self.deadline:
            self.deadline.cancel()
            self.deadline = None

    def requestReceived(self, *line: bytes) -> None:
        self.stop_waiting()
        super().requestReceived(*line)

    def connectionLost(self, reason: Any) -> None:
        self.stop_waiting()
        super().connectionLost(reason)

    def process(self) -> Any:
        self.requestHeaders.removeHeader(ROOT_PATH)
        protocols = self.requestHeaders.getRawHeaders(PROTOCOL, [])
        if not all(value.isascii() for value in protocols):
            self.basic_error(400, b"Bad Request", "Invalid Sec-WebSocket-Protocol")
            return None
        return super().process()

    def handle_reply(self, message: Any) -> None:
        if is_ending() and message["type"] == "http.response.start":
            self.setHeader(b"connection", b"close")
            self.channel.persistent = False
        super().handle_reply(message)

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
    reply: Any = {}  # what the application says just now
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

    def handle_reply(self, message: Any) -> None:
        self.reply = message
        super().handle_reply(message)
        self.reply = {}

    def serverAccept(self, subprotocol: Any = None) -> None:
        headers: dict[str, list[str]] = {}
        for pair in self.reply.get("headers") or ():
            name, value = (text.decode("latin-1") for text in pair)
            headers.setdefault(name, []).append(value)
        super().serverAccept((subprotocol, headers))

    def serverClose(self, code: int | None = None) -> None:
        # Autobahn's sendClose() takes neither 1008 nor 1009, 1012 or 1013.
        reason = self.reply.get("reason") or ""
        self.sendCloseFrame(1000 if code is None else code, reason.encode())

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


def end(server: Server) -> Deferred[None]:
    ended = Deferred.fromFuture(asyncio.ensure_future(_end(server)))
    return ended.addErrback(lambda failure: logger.error("%s", failure.getTraceback()))


async def _end(server: Server) -> None:
    ending.begin()
    stop_listening()
    await ending.finish(
        is_open=lambda: bool(idle_channels()) or is_answering(server),
        is_answering=lambda: is_answering(server),
    )
    for channel in idle_channels():
        channel.loseConnection()
    await ending.until(lambda: not _reactor.getWriters(), ending.ANSWER)
    applications = [
        details["application_instance"]
        for details in server.connections.values()
        if "application_instance" in details
    ]
    for application in applications:
        application.cancel()
    await asyncio.gather(*applications, return_exceptions=True)


def stop_listening() -> None:
    """Let in whoever waits to be, and close the door behind them.

    Those who wait at a socket that is shared are left to the other processes.
    """
    for port in _reactor.getReaders():
        if not hasattr(port, "stopListening"):
            continue
        if getattr(port, "_shouldShutdown", False):  # it is not shared
            refuse_new(port.socket)
            port.numberAccepts = BACKLOG
            port.doRead()
        port.stopReading()
        try:
            port.connectionLost(CONNECTION_DONE)  # at once, unlike stopListening()
        except OSError:  # the file of a Unix socket is gone
            logger.exception("%s did not close.", port)


def idle_channels() -> list[Any]:
    """Those that wait for a first or a next request."""
    channels = map(find_channel, _reactor.getReaders())
    return [channel for channel in channels if channel and not channel.requests]


def find_channel(reader: Any) -> HTTPChannel | None:
    """The HTTP at the other side of a connection, if it is one."""
    protocol = getattr(reader, "protocol", None)
    protocol = getattr(protocol, "wrappedProtocol", protocol)  # of TLS
    channel = getattr(protocol, "_channel", None)
    return channel if isinstance(channel, HTTPChannel) else None


def is_answering(server: Server) -> bool:
    return any(
        isinstance(protocol, WaryRequest) and "disconnected" not in details
        for protocol, details in server.connections.items()
    )


def install() -> None:
    """Have daphne use it, whether started as `daphne` or by runserver."""
    http_protocol.WebRequest = WaryRequest
    Channel.resetTimeout = reset_timeout
    Server.log_action = log_nothing
    autobahn.pformat = str  # of a connection, for a log that is off
    WebSocketFactory.protocol = PacedWebSocketProtocol
    Server.handle_reply = handle_reply
    Server.kill_all_applications = end
