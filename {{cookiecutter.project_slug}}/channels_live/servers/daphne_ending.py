"""How daphne ends: it answers whoever is connected, and tells its sockets to come back.

By itself it would drop them all without a word.
"""

import asyncio
import logging
from typing import Any, cast

from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.main import CONNECTION_DONE
from twisted.web.http import HTTPChannel

from channels_live.process import is_ending
from channels_live.servers import ending

logger = logging.getLogger(__name__)

# Connections that are let in at once, of those that wait to be.
BACKLOG = 1000

_reactor = cast(Any, reactor)
_handle_response = WebRequest.handle_reply


def end(server: Server) -> Deferred[None]:
    ended = Deferred.fromFuture(asyncio.ensure_future(_end(server)))
    return ended.addErrback(lambda failure: logger.error("%s", failure.getTraceback()))


async def _end(server: Server) -> None:
    ending.begin()
    stop_listening()
    closing = asyncio.create_task(ending.close_sockets())
    await ending.until(
        lambda: not (idle_channels() or is_answering(server)), ending.ASK
    )
    for channel in idle_channels():
        channel.loseConnection()
    answered = ending.until(lambda: not is_answering(server), ending.FINISH)
    await asyncio.gather(closing, answered)
    await ending.leave()
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
        isinstance(protocol, WebRequest) and "disconnected" not in details
        for protocol, details in server.connections.items()
    )


def handle_response(self: WebRequest, message: Any) -> None:
    if is_ending() and message["type"] == "http.response.start":
        self.setHeader(b"connection", b"close")
        self.channel.persistent = False
    _handle_response(self, message)


def install() -> None:
    """Have daphne end in this way, whether started as `daphne` or by runserver."""
    Server.kill_all_applications = end
    WebRequest.handle_reply = handle_response
