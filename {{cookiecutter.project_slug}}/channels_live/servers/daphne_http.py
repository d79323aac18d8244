"""What daphne lacks for requests: limits, on what it believes and on what it keeps."""

import asyncio
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

# For how long a response may not get a byte further, in seconds.
SEND_TIMEOUT = 60

Channel: Any = HTTPChannel


class Paced:
    """Knows whether its connection takes more. Twisted tells it, as a push producer."""

    paused: asyncio.Future[None] | None = None

    def pauseProducing(self) -> None:
        if self.paused is None:
            self.paused = asyncio.get_running_loop().create_future()

    def resumeProducing(self) -> None:
        if self.paused is not None:
            self.paused.set_result(None)
            self.paused = None

    def stopProducing(self) -> None:
        self.resumeProducing()


class WaryRequest(Paced, http_protocol.WebRequest):
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
        if message.get("more_body") and not self.producer:
            self.registerProducer(self, True)
            if self.channel._waitingForTransport:  # by what was asked for before
                self.pauseProducing()
        super().handle_reply(message)

    def handle_exception(self, exception: BaseException) -> None:
        """Cut a response that has begun: another cannot be sent in its place."""
        if self._response_started:
            self.cut()
        else:
            super().handle_exception(exception)

    def finish(self) -> None:
        if self.producer:
            self.unregisterProducer()
            self.stopProducing()
        super().finish()

    async def drain(self) -> None:
        """Wait until more of a stream may be sent, and cut who reads nothing of it."""
        while self.paused is not None:
            unsent = self.find_unsent()
            await asyncio.wait([self.paused], timeout=SEND_TIMEOUT)
            if self.paused is not None and unsent == self.find_unsent():
                self.cut()
                return

    def find_unsent(self) -> tuple[int, ...]:
        """Return what differs once some of what waits to be sent has been."""
        transport = self.channel.transport
        return transport.offset, len(transport.dataBuffer), transport._tempDataLen

    def cut(self) -> None:
        self.channel.transport.abortConnection()


def install() -> None:
    http_protocol.WebRequest = WaryRequest
    # A head or a body is waited for no longer because another byte of it has come.
    Channel.resetTimeout = lambda channel: None
