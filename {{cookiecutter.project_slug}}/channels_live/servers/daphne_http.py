"""What daphne lacks for requests: limits, on what it believes and on what it keeps."""

from typing import Any

from daphne import http_protocol
from twisted.web.http import HTTPChannel

from channels_live import conf
from channels_live.process import is_ending

# Only who runs the server may set it: FORCE_SCRIPT_NAME or daphne's --root-path.
ROOT_PATH = b"daphne-root-path"
PROTOCOL = b"sec-websocket-protocol"
TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

Channel: Any = HTTPChannel


class WaryRequest(http_protocol.WebRequest):
    # Without the name of the server.
    error_template = "<!doctype html><title>%(title)s</title><p>%(body)s"
    is_refused = False

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        self._parsePOSTFormSubmission = False  # Django does, where a view asks
        if length != 0:
            self.channel.setTimeout(conf.get("BODY_SECONDS"))

    def handleContentChunk(self, data: bytes) -> None:
        """Refuse a body that is too large. The rest of it is read and not kept."""
        super().handleContentChunk(data)
        if self.content.tell() > conf.get("BODY_SIZE") and not self.is_refused:
            self.is_refused = True
            self.channel.transport.write(TOO_LARGE)
            self.channel.dataReceived = lambda data: None

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
        super().handle_reply(message)


def install() -> None:
    http_protocol.WebRequest = WaryRequest
    # A head or a body is waited for no longer because another byte of it has come.
    Channel.resetTimeout = lambda channel: None
