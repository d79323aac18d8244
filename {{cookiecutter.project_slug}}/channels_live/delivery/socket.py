"""One WebSocket, between its server and its consumer, whatever consumer it is."""

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial
from typing import Any

from channels.exceptions import StopConsumer

from channels_live import conf
from channels_live.base.asgi import Event, Receive, Scope, Send
from channels_live.base.budget import Budget
from channels_live.base.close_code import CloseCode
from channels_live.delivery.outbox import Outbox
from channels_live.observe import metrics
from channels_live.observe.log_context import MAX_LENGTH

access_log = logging.getLogger("access.websocket")

# What fits into a close frame, in bytes.
MAX_REASON = 123
# For how long frames are counted, in seconds.
WINDOW = 5

# What browsers close with; the other codes below 3000 are servers'.
BROWSERS_CODES = {1000, 1001, 1005}


class Socket:
    """Counts, logs and limits what goes through, and can be closed from outside.

    `outbox` writes to the server without waiting. Nothing is written, and nothing is
    heard, once the socket is closed.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope  # at last that of the consumer
        self._receive = receive
        self._send = send
        self.began = time.monotonic()  # when its handshake came
        self.labels: set[str] = set()
        self.subprotocol = ""  # that its login has agreed on
        self._opening: Event | None = None  # that its consumer has still to hear
        self.consumer: Any = None  # if it is one of this library's
        self.outbox = Outbox(
            send, on_overflow=partial(self.terminate, CloseCode.TRY_AGAIN_LATER)
        )
        self.is_open = False  # accepted, and no reason to end yet
        self.is_closed = False  # by its consumer, from outside, or by the browser
        self.is_idle = False  # waits for a frame
        self.is_ending = False  # with its process
        self._terminated: int | None = None
        self._closing: asyncio.Task[None] | None = None
        self._frames = Budget(WINDOW)
        self._path = scope["path"][:MAX_LENGTH]
        self._opened = 0.0

    async def ask(self, seconds: float) -> str | None:
        """Let the socket in before its consumer does. Returns its first text, if any."""
        opening = await self.receive()
        await self.send({"type": "websocket.accept"})
        text = None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                text = (await self.receive()).get("text")
        self._opening = opening
        return text

    async def receive(self) -> Event:
        """Return what the consumer is to hear next."""
        if self._opening is not None:
            opening, self._opening = self._opening, None
            return opening
        while True:
            self.is_idle = True
            if self.is_ending:
                self.terminate(CloseCode.SERVICE_RESTART)
            event = await self._receive()
            self.is_idle = False
            if event["type"] == "websocket.disconnect":
                code = event.get("code") or CloseCode.NO_STATUS
                self.end("left", code)
                self.is_closed = True
                return event
            if event["type"] != "websocket.receive":
                return event
            # A socket that was closed is not listened to, even if it goes on talking.
            if not self.is_closed and self._is_within_limits(event):
                return event

    def _is_within_limits(self, event: Event) -> bool:
        metrics.received.inc()
        size = len(event.get("text") or event.get("bytes") or "")
        if size > conf.get("FRAME_SIZE"):
            self.terminate(CloseCode.MESSAGE_TOO_BIG)
        elif self._frames.excess(None, conf.get("FRAMES_PER_SECOND")) > 0:
            self.terminate(CloseCode.POLICY_VIOLATION)
        return not self.is_closed

    async def send(self, event: Event) -> None:
        if event["type"] == "websocket.close":
            code = event.get("code") or CloseCode.NORMAL_CLOSURE
            reason = event.get("reason") or ""
            await self.close(code, reason=reason)
            return
        is_accept = event["type"] == "websocket.accept"
        if self.is_closed or (is_accept and self.is_open):
            return
        if is_accept and self.subprotocol:
            event = {**event, "subprotocol": self.subprotocol}
        try:
            await self._send(event)
        except OSError as error:  # how a server says that nobody is there any more
            raise StopConsumer from error
        if is_accept:
            self.is_open = True
            metrics.opened.inc()
            metrics.open_sockets.inc()
            self._opened = time.monotonic()
            access_log.info("WebSocket %s opened", self._path, extra={"event": "open"})
            if self._terminated is not None:  # while it was being let in
                self.terminate(self._terminated)

    async def close(self, code: int, *, how: str = "closed", reason: str = "") -> None:
        """Close the socket.

        `how` is for the metrics. The browser is told the `reason`, unless its handshake is
        refused: then servers drop it, and it is logged.
        """
        if not self.is_closed:
            self._finish(how, code, reason)
            await self._say_close(code, reason)

    def terminate(self, code: int) -> None:
        """Close the socket from outside of its consumer; it may be entering still."""
        self._terminated = code
        if self.is_open:
            self._finish("terminated", code)
            self._closing = asyncio.create_task(self._say_close(code))

    def _finish(self, how: str, code: int, reason: str = "") -> None:
        self.is_closed = True
        self.outbox.close()
        if self.is_open:
            self.end(how, code)
        else:
            metrics.refused_handshakes.inc()
            reason = reason or "by the consumer"
            extra = {"event": "refuse", "reason": reason}
            access_log.info("WebSocket %s refused: %s", self._path, reason, extra=extra)

    async def _say_close(self, code: int, said: str = "") -> None:
        said = said.encode()[:MAX_REASON].decode(errors="ignore")
        event: Event = {"type": "websocket.close", "code": int(code)}
        with suppress(Exception):  # each server has its own for a socket that is gone
            await self._send({**event, "reason": said} if said else event)

    def end(self, how: str, code: int) -> None:
        """Count and log the end of a socket that was open, with its first reason."""
        if self.is_open:
            self.is_open = False
            metrics.count_closed(how, code)
            by = "server" if how != "left" else who_left(code)
            seconds = round(time.monotonic() - self._opened, 3)
            details = {"code": int(code), "closed_by": by, "duration": seconds}
            access_log.info(
                "WebSocket %s closed with %s by %s after %s s",
                *(self._path, *details.values()),
                extra={"event": "close", **details},
            )


def who_left(code: int) -> str:
    """Return who has closed a socket, going by the code that its consumer hears."""
    if code == CloseCode.ABNORMAL_CLOSURE:
        return "nobody"
    return "client" if code in BROWSERS_CODES or code >= 3000 else "server"
