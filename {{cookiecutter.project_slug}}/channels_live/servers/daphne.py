"""What daphne lacks: limits on what it keeps for sockets, and an end.

Here `send` completes when the operating system and a buffer of 64 KB have taken the frame,
as in uvicorn, and who sends faster than is read is closed.
"""

import asyncio
import logging
import warnings
from typing import Any, cast

from autobahn.twisted import websocket as autobahn_twisted
from autobahn.websocket import protocol as autobahn_protocol
from daphne import server
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.tcp import Connection
from twisted.logger import globalLogBeginner

from channels_live.base.close_code import CloseCode
from channels_live.base.frames import frame_bytes
from channels_live.servers import daphne_connections, daphne_http, ending
from channels_live.servers.daphne_http import Paced, WaryRequest
from channels_live.servers.inbox import use_inbox

logger = logging.getLogger(__name__)

# Frames of one socket that wait to be read, and the largest that is received, in bytes.
MAX_UNREAD = 64
MAX_RECEIVED = 64 * 1024
# For how long a socket that is closed may take to answer, in seconds. One that has
# stalled reads why, if it goes on in time.
CLOSE_TIMEOUT = 30
# The keys of a message that is a text frame.
TEXT = {"type", "text"}
# Not those that the class has, and not a function, which would become a method.
SHARED_OPTIONS = {*WebSocketProtocol.CONFIG_ATTRS} - {
    "versions",
    "perMessageCompressionAccept",
}

_reactor = cast(Any, reactor)
_handle_reply = Server.handle_reply
_beginner: Any = globalLogBeginner
_begin_logging = _beginner.beginLoggingTo
_set_options = WebSocketFactory.setProtocolOptions


def do_nothing(*args: Any) -> None: ...


class PacedWebSocketProtocol(Paced, WebSocketProtocol):
    # RFC 6455 alone, none of its drafts.
    versions = (13,)

    def onOpen(self) -> None:
        super().onOpen()
        self.transport.unregisterProducer()  # that was the HTTP request
        self.transport.registerProducer(self, True)
        # The head of the request, which is not asked for again, takes 2 KB.
        self.http_headers.clear()
        self.http_request_data = None
        self.send_queue = ()  # nothing is: see sendData()
        self.closeHandshakeTimeout = CLOSE_TIMEOUT
        self.failByDrop = False

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if len(payload) > MAX_RECEIVED:
            self.sendCloseFrame(CloseCode.MESSAGE_TOO_BIG)
        elif self.application_queue.qsize() >= MAX_UNREAD:
            self.sendCloseFrame(CloseCode.POLICY_VIOLATION)
        else:
            super().onMessage(payload, isBinary)

    def onPing(self, payload: bytes) -> None:
        # Answers that nobody reads would pile up.
        if self.paused is None:
            super().onPing(payload)

    def sendData(self, data: bytes, sync: bool = False, chopsize: Any = None) -> None:
        """Write at once what the system takes: Twisted would ask first whether it does."""
        if may_write(self.transport):
            written = self.transport.writeSomeData(data)
            if isinstance(written, int):  # or it is the error, which write() finds too
                data = data[written:]
        if data:
            self.transport.write(data)

    def serverSend(self, content: Any, binary: bool = False) -> None:
        # Whoever is closed meanwhile gets no more: no error of their consumer's.
        if self.state != self.STATE_OPEN:
            return
        if binary or self._perMessageCompress is not None:
            super().serverSend(content, binary)
        else:  # Autobahn would make the frame for each socket of a group
            self.sendData(frame_bytes(content))

    def handle_reply(self, message: Any) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            headers: dict[str, list[str]] = {}
            for pair in message.get("headers") or ():
                name, value = (text.decode("latin-1") for text in pair)
                headers.setdefault(name, []).append(value)
            self.serverAccept((message.get("subprotocol"), headers))
        elif kind == "websocket.close" and self.state != self.STATE_CONNECTING:
            # Autobahn's sendClose() takes neither 1008 nor 1009, 1012 or 1013.
            reason = message.get("reason") or ""
            self.sendCloseFrame(message.get("code") or 1000, reason.encode())
        else:
            super().handle_reply(message)


def is_open(protocol: Any) -> bool:
    return bool(getattr(protocol, "state", None) == WebSocketProtocol.STATE_OPEN)


def may_write(transport: Any) -> bool:
    """Whether it is open and plain, and nothing waits that has to be written before."""
    if not isinstance(transport, Connection) or not transport.connected:
        return False
    return not (transport.TLS or transport.dataBuffer or transport._tempDataLen)


async def handle_reply(self: Server, protocol: Any, message: Any) -> None:
    is_send = message["type"] == "websocket.send"
    if is_send and message.keys() == TEXT and is_open(protocol):
        # What daphne would check before takes longer than to write the frame.
        protocol.serverSend(message["text"])
    else:
        await _handle_reply(self, protocol, message)
    if is_send and protocol.paused is not None:
        await asyncio.shield(protocol.paused)
    elif message.get("more_body"):
        await protocol.drain()


def end(server: Server) -> Deferred[None]:
    ended = Deferred.fromFuture(asyncio.ensure_future(_end(server)))
    return ended.addErrback(lambda failure: logger.error("%s", failure.getTraceback()))


async def _end(server: Server) -> None:
    ports = [port for port in _reactor.getReaders() if hasattr(port, "stopListening")]
    own = [port.socket for port in ports if getattr(port, "_shouldShutdown", False)]
    for port in ports:
        if port.socket not in own:
            port.stopReading()  # those who wait there are left to the other processes
    await ending.begin(own)
    for port in ports:
        port.stopListening()
    await ending.finish(lambda: is_answering(server))
    for protocol in list(server.connections):
        if isinstance(protocol, WaryRequest) and protocol.paused is not None:
            protocol.cut()  # who has not read enough by now
    await ending.until(lambda: not _reactor.getWriters(), ending.ANSWER)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def is_answering(server: Server) -> bool:
    return any(
        isinstance(protocol, WaryRequest) and "disconnected" not in details
        for protocol, details in server.connections.items()
    )


def set_options(self: WebSocketFactory, **options: Any) -> None:
    """Autobahn keeps for each socket the options that its class does not have: 2 KB."""
    _set_options(self, **options)
    for name in SHARED_OPTIONS:
        setattr(PacedWebSocketProtocol, name, getattr(self, name))


def begin_logging(*args: Any, **options: Any) -> None:
    """Leave Python's warnings to Python: they would go where Twisted's log goes."""
    shown = warnings.showwarning
    _begin_logging(*args, **options)
    warnings.showwarning = shown


def install() -> None:
    """Have daphne use it, whether started as `daphne` or by runserver."""
    use_inbox(server)
    daphne_connections.install()
    daphne_http.install()
    # The access log has what daphne would log, with query strings.
    Server.log_action = do_nothing
    _beginner.beginLoggingTo = begin_logging
    # They make texts for a log that is off.
    for name in ("pformat", "hltype", "hlval"):
        setattr(autobahn_protocol, name, do_nothing)
        setattr(autobahn_twisted, name, do_nothing)
    WebSocketFactory.protocol = PacedWebSocketProtocol
    WebSocketFactory.setProtocolOptions = set_options
    Server.handle_reply = handle_reply
    Server.kill_all_applications = end
