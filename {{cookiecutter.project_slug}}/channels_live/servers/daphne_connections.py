"""Of daphne's connections, those that end are looked at every second, instead of all."""

import logging
from typing import Any, cast

from daphne.server import Server
from twisted.internet import reactor

logger = logging.getLogger(__name__)

_create_application = Server.create_application
_protocol_disconnected = Server.protocol_disconnected
_application_checker = Server.application_checker

# Connections whose application or other side has ended.
_ending: set[Any] = set()


def create_application(self: Server, protocol: Any, scope: Any) -> Any:
    queue = _create_application(self, protocol, scope)
    if queue is not None:
        application = self.connections[protocol]["application_instance"]
        application.add_done_callback(lambda _: _ending.add(protocol))
    return queue


def protocol_disconnected(self: Server, protocol: Any) -> None:
    _protocol_disconnected(self, protocol)
    _ending.add(protocol)


def application_checker(self: Server) -> None:
    """Have daphne look at those that end, in a dictionary of their own."""
    everyone = self.connections
    asked = [protocol for protocol in _ending if protocol in everyone]
    _ending.clear()
    self.connections = {protocol: everyone[protocol] for protocol in asked}
    try:
        _application_checker(self)
    except Exception:
        logger.exception("daphne could not see to a connection.")
        # It is the first whose application has ended. The others are next.
        for details in self.connections.values():
            ended = details.get("application_instance")
            if ended and ended.done():
                del details["application_instance"]
                break
        cast(Any, reactor).callLater(1, self.application_checker)
    finally:
        for protocol in asked:
            if protocol in self.connections:
                _ending.add(protocol)
            else:
                del everyone[protocol]
        self.connections = everyone


def install() -> None:
    Server.create_application = create_application
    Server.protocol_disconnected = protocol_disconnected
    Server.application_checker = application_checker
