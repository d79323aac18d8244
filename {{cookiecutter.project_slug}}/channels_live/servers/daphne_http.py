"""What daphne believes of those who ask, and how long it waits for them.

It takes the mount point, and so where links lead, from a header of whoever asks: also
the link in an e-mail that resets somebody else's password. It ends in a traceback where
a WebSocket's protocol is no ASCII. And it waits for the head of a request for as long as
another byte of it comes now and then. A proxy in front prevents some of this; there may
be none.
"""

from typing import Any

from autobahn.websocket import protocol as autobahn_protocol
from daphne import http_protocol
from daphne.server import Server
from twisted.web.http import HTTPChannel

# Only who runs the server may set it: FORCE_SCRIPT_NAME or daphne's --root-path.
ROOT_PATH = b"daphne-root-path"
PROTOCOL = b"sec-websocket-protocol"

Channel: Any = HTTPChannel
autobahn: Any = autobahn_protocol
_reset_timeout = Channel.resetTimeout


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


def describe_nothing(described: object) -> object:
    """Stand in for pformat(), which Autobahn calls for a log that is off."""
    return described


def install() -> None:
    """Have daphne use it, whether started as `daphne` or by runserver."""
    http_protocol.WebRequest = WaryRequest
    Channel.resetTimeout = reset_timeout
    Server.log_action = log_nothing
    autobahn.pformat = describe_nothing
