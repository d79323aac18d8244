"""What daphne and uvicorn do when they are told to end.

Both stop to listen first, so that whoever comes now reaches another process: one that
shares the socket, or one that the proxy knows. Then their sockets are told to come back,
requests are answered, and the process leaves presence. Of itself, uvicorn would close
sockets in the middle of an answer, and daphne would drop them without a word.
"""

import asyncio
import logging
import sys
from typing import Any, cast

from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from apps.realtime.shutdown import (
    ANSWER,
    FINISH,
    farewell,
    leave,
    see_to_the_end,
    until,
)

logger = logging.getLogger(__name__)

_reactor = cast(Any, reactor)
_handle_response = WebRequest.handle_reply


def end_daphne(server: Server) -> Deferred[None]:
    ending = Deferred.fromFuture(asyncio.ensure_future(_end_daphne(server)))
    return ending.addErrback(lambda failure: logger.error("%s", failure))


async def _end_daphne(server: Server) -> None:
    see_to_the_end()
    for reader in _reactor.getReaders():
        if hasattr(reader, "stopListening"):
            reader.stopListening()
        elif getattr(getattr(reader, "protocol", None), "requests", None) == []:
            reader.loseConnection()  # it was kept alive for a next request
    answered = until(lambda: not is_answering(server), FINISH)
    await asyncio.gather(farewell.say(), answered)
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


def make_end_uvicorn(shutdown: Any) -> Any:
    async def end_uvicorn(server: Any, sockets: Any = None) -> None:
        see_to_the_end()
        for listening in server.servers:
            listening.close()
        connections = server.server_state.connections
        for connection in tuple(connections):
            if hasattr(connection, "cycle"):  # HTTP: answers what it has, and closes
                connection.shutdown()
        await farewell.say()
        await until(lambda: not any(map(is_closing, connections)), ANSWER)
        await shutdown(server, sockets)
        await leave()

    return end_uvicorn


def is_closing(connection: Any) -> bool:
    return getattr(connection, "close_sent", False)


def install() -> None:
    """Have the server of this process end in this way, whichever it is."""
    Server.kill_all_applications = end_daphne
    WebRequest.handle_reply = handle_response
    if uvicorn := sys.modules.get("uvicorn"):
        uvicorn.Server.shutdown = make_end_uvicorn(uvicorn.Server.shutdown)
