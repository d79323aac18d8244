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

from apps.realtime.shutdown import (
    ANSWER,
    ASK,
    FINISH,
    farewell,
    leave,
    see_to_the_end,
    until,
)

logger = logging.getLogger(__name__)

# Connections that are let in at once, of those that wait to be.
BACKLOG = 1000

_reactor = cast(Any, reactor)
_handle_response = WebRequest.handle_reply


def end(server: Server) -> Deferred[None]:
    ending = Deferred.fromFuture(asyncio.ensure_future(_end(server)))
    return ending.addErrback(lambda failure: logger.error("%s", failure))


async def _end(server: Server) -> None:
    see_to_the_end()
    stop_listening()
    saying = asyncio.create_task(farewell.say())
    await until(lambda: not (idle_connections() or is_answering(server)), ASK)
    await saying
    for connection in idle_connections():
        connection.loseConnection()
    await until(lambda: not is_answering(server), FINISH)
    await leave()
    await until(lambda: not _reactor.getWriters(), ANSWER)
    applications = [
        details["application_instance"]
        for details in server.connections.values()
        if "application_instance" in details
    ]
    for application in applications:
        application.cancel()
    await asyncio.gather(*applications, return_exceptions=True)


def stop_listening() -> None:
    """Let in whoever waits to be, and close the door behind them in the same moment."""
    for reader in _reactor.getReaders():
        if hasattr(reader, "stopListening"):
            reader.numberAccepts = BACKLOG
            reader.doRead()
            reader.stopReading()
            reader.connectionLost(CONNECTION_DONE)


def idle_connections() -> list[Any]:
    """Those that wait for a first or a next request."""
    return [reader for reader in _reactor.getReaders() if is_idle(reader)]


def is_idle(reader: Any) -> bool:
    channel = getattr(getattr(reader, "protocol", None), "_channel", None)
    return isinstance(channel, HTTPChannel) and not channel.requests


def is_answering(server: Server) -> bool:
    return any(
        isinstance(protocol, WebRequest) and "disconnected" not in details
        for protocol, details in server.connections.items()
    )


def handle_response(self: WebRequest, message: Any) -> None:
    if farewell.has_begun and message["type"] == "http.response.start":
        self.setHeader(b"connection", b"close")
        self.channel.persistent = False
    _handle_response(self, message)


def install() -> None:
    """Have daphne end in this way, whether started as `daphne` or by runserver."""
    Server.kill_all_applications = end
    WebRequest.handle_reply = handle_response
