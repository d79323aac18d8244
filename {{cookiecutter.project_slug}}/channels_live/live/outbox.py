"""What waits for a page: of each region only the newest state."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from channels_live.base.asgi import Send
from channels_live.delivery.outbox import JOINED_SIZE, MAX_WAITING, Outbox


class EventOutbox(Outbox):
    """Writes events as JSON arrays, without ever waiting for the socket.

    An event takes the place of one of the same topic that waits. A socket that falls
    further behind than MAX_WAITING with events without one is reported to `on_overflow`.
    """

    __slots__ = ("behind", "events", "others")

    def __init__(self, send: Send, on_overflow: Callable[[], None]) -> None:
        super().__init__(send, on_overflow)
        self.events: dict[str, str] = {}  # topic → JSON
        self.others = 0
        self.behind = 0

    def put(self, topic: str, event: str) -> None:
        """Have an event written with the next flush()."""
        if not self.closed:
            self.events.pop(topic, None)
            self.events[topic] = event

    def append(self, event: str) -> None:
        """Write an event that takes no other's place."""
        self.others += 1
        self.put(f" {self.others}", event)
        self.behind += len(event)
        self.flush()
        if self.behind > MAX_WAITING and not self.closed:
            self.close()
            self.on_overflow()

    def flush(self) -> None:
        """Write what waits, as far as the socket takes it."""
        while self.events and self.sending is None and not self.closed:
            self._start({"type": "websocket.send", "text": self._next_frame()})
        if not self.events:
            self.behind = 0

    def close(self) -> None:
        super().close()
        self.events.clear()

    def _next_frame(self) -> str:
        frame: list[str] = []
        size = 0
        for topic in tuple(self.events):
            event = self.events[topic]
            if frame and size + len(event) > JOINED_SIZE:
                break
            frame.append(self.events.pop(topic))
            size += len(event)
        return f"[{','.join(frame)}]"

    def _flush(self, task: asyncio.Task[None]) -> None:
        super()._flush(task)
        self.flush()


def as_event(**content: Any) -> str:
    """Return an event as pages get it."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
