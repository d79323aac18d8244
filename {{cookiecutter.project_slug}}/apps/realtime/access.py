"""Logs each WebSocket: that it opens or is refused, that it closes, and what fails."""

import logging
import time
from typing import Any

from apps.realtime.codes import ABNORMAL_CLOSURE, INTERNAL_ERROR, NORMAL_CLOSURE
from apps.realtime.log_context import (
    MAX_LENGTH,
    SocketContext,
    current,
    get_request_id,
)
from apps.realtime.middleware import get_header

access_logger = logging.getLogger("access.websocket")
logger = logging.getLogger(__name__)

# Servers close with these of their own accord, and no browser can.
OF_SERVERS = {1002, 1003, *range(1007, 1015)}


class WebSocketLogMiddleware:
    """Comes first. What a consumer raises is logged here, and closes its socket."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        connection = Connection(scope, receive, send)
        # Fan-out goes around what looks at each message.
        scope = dict(scope, unlogged_send=send)
        try:
            await self.inner(scope, connection.receive, connection.send)
        except Exception as error:
            if not (connection.is_lost and isinstance(error, OSError)):
                logger.exception("A consumer has failed.")
                await connection.fail()
        finally:
            connection.end()


class Connection:
    """Takes note of what goes through a WebSocket, except for its frames."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self._receive = receive
        self._send = send
        self.opened: float | None = None
        self.code: int | None = None
        self.closed_by = "nobody"
        self.is_refused = False
        self.is_lost = False
        client = scope.get("client") or ["", 0]
        request_id = get_request_id(get_header(scope, b"x-request-id"))
        self.context = SocketContext(request_id, client[0], scope["path"])
        current.set(self.context)

    async def receive(self) -> Any:
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and self.code is None:
            self.code = message.get("code") or ABNORMAL_CLOSURE
            self.closed_by = closer(self.code)
        return message

    async def send(self, message: Any) -> None:
        try:
            await self._send(message)
        except OSError:  # how a server says that nobody is there any more
            self.is_lost = True
            raise
        if message["type"] == "websocket.accept":
            self.open()
        elif message["type"] == "websocket.close":
            self.close(message)

    async def fail(self) -> None:
        if self.code is None and not self.is_refused:
            try:
                await self.send({"type": "websocket.close", "code": INTERNAL_ERROR})
            except Exception:  # each server has its own for a socket that is gone
                self.is_lost = True

    def open(self) -> None:
        self.opened = time.monotonic()
        self.log("open", "WebSocket %s opened", {})

    def close(self, message: Any) -> None:
        if self.opened is not None:
            if self.code is None:
                self.code = message.get("code") or NORMAL_CLOSURE
                self.closed_by = "server"
        elif not self.is_refused:
            self.is_refused = True
            reason = message.get("reason") or "by the consumer"
            self.log("refuse", f"WebSocket %s refused: {reason}", {"reason": reason})

    def end(self) -> None:
        if self.opened is not None:
            code = self.code or ABNORMAL_CLOSURE
            seconds = round(time.monotonic() - self.opened, 3)
            details = {"code": code, "closed_by": self.closed_by, "duration": seconds}
            said = f"with {code} by {self.closed_by} after {seconds} s"
            self.log("close", f"WebSocket %s closed {said}", details)

    def log(self, event: str, sentence: str, details: dict[str, Any]) -> None:
        path = self.context.path[:MAX_LENGTH]
        access_logger.info(sentence, path, extra={"event": event, **details})


def closer(code: int) -> str:
    """Return who has closed a WebSocket, going by the code that the consumer hears."""
    if code == ABNORMAL_CLOSURE:
        return "nobody"
    return "server" if code in OF_SERVERS else "client"
