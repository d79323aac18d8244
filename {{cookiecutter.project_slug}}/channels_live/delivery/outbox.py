"""The way out of a process: to one socket, and the same to all sockets of a group."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from channels_live.base.asgi import Event, Send
from channels_live.base.frames import dump
from channels_live.observe import metrics

# What a socket may be behind, in characters, before it is closed.
MAX_WAITING = 128 * 1024
# The longest frame that is made by joining fragments, in characters: of what goes out to
# all at once; and of what waits, for on a slow link whole frames are the signs of life.
FAN_OUT_SIZE = 64 * 1024
JOINED_SIZE = 16 * 1024
# For how long fragments wait for company once a frame has gone out, in seconds; or for
# as long as that took, so that half of the time is left for other work.
FRAME_WINDOW = 0.01


@dataclass(slots=True, eq=False)
class Outbox:
    """Writes frames to a socket without ever waiting for it.

    While the server reports that the socket takes no more (its `send` does not
    complete), frames are kept, and go out joined as soon as it does. A socket that
    falls further behind than MAX_WAITING is reported to `on_overflow`, once, and gets
    nothing more. One with a topic does not count: it takes the place of the one of the
    same topic that waits.
    """

    send: Send
    on_overflow: Callable[[], None]
    sending: asyncio.Task[None] | None = None
    waiting: dict[object, str] = field(default_factory=dict)  # by topic
    behind: int = 0
    closed: bool = False
    is_json: bool = False  # frames are arrays of events, and not HTML
    is_page: bool = False  # HTML for groups comes as events, which name the group

    def write(self, frame: str, topic: str = "") -> None:
        self.write_event({"type": "websocket.send", "text": frame}, topic)

    def write_event(self, event: Event, topic: str = "") -> None:
        """Write a ready event: fan-out makes one for all sockets of a group."""
        if self.closed:
            return
        if self.sending is None and not topic:
            # An eager task runs at once, and is done at once unless the server pauses it.
            task = asyncio.Task(
                self._send(event), loop=asyncio.get_running_loop(), eager_start=True
            )
            if not task.done():
                self.sending = task
            return
        self.waiting[topic or object()] = event["text"]
        if self.sending is None:
            # Other topics of the same moment share its frame.
            self.sending = asyncio.get_running_loop().create_task(self._send())
        if not topic:
            self.behind += len(event["text"])
            if self.behind > MAX_WAITING:
                self.close()
                self.on_overflow()

    async def drain(self) -> None:
        while self.sending is not None:
            await asyncio.wait([self.sending])

    def close(self) -> None:
        """Drop what waits and refuse what comes."""
        self.closed = True
        self.waiting.clear()

    async def _send(self, event: Event | None = None) -> None:
        try:
            if event is not None:
                await self.send(event)
            while self.waiting:
                await self.send({"type": "websocket.send", "text": self._next_frame()})
        except Exception:  # each server has its own for a socket that is gone
            self.close()
        finally:
            self.sending = None

    def _next_frame(self) -> str:
        frame: list[str] = []
        length = 0
        for topic, text in tuple(self.waiting.items()):
            length += len(text)
            if frame and length > JOINED_SIZE:
                break
            frame.append(self.waiting.pop(topic))
            if not isinstance(topic, str):
                self.behind -= len(text)
        return merge(frame, is_json=self.is_json)


class Audience:
    """Joins fragments into frames, and writes them to all sockets of a group."""

    def __init__(self, name: str, *, is_json: bool) -> None:
        self.name = name
        self.is_json = is_json  # as its sockets are: fragments are events
        self.outboxes: set[Outbox] = set()
        self._frame: list[str] = []
        self._published: list[float] = []
        self._window: asyncio.TimerHandle | None = None
        self._pause_until = 0.0

    def broadcast(self, html: str, published: float = 0) -> None:
        """Write a fragment to the sockets of this process."""
        self._frame.append(html)
        if published:
            self._published.append(published)
        if self._window is None:
            loop = asyncio.get_running_loop()
            if loop.time() < self._pause_until:
                self._window = loop.call_at(self._pause_until, self.flush)
            else:
                self.flush()

    def flush(self) -> None:
        if self._window is not None:
            self._window.cancel()
            self._window = None
        if not self._frame:
            return
        now = asyncio.get_running_loop().time
        began = now()
        outboxes = tuple(self.outboxes)
        frames = list(join(self._frame, is_json=self.is_json, size=FAN_OUT_SIZE))
        for frame in frames:
            events = {False: {"type": "websocket.send", "text": frame}}
            if any(outbox.is_page for outbox in outboxes):
                text = dump({"listen": self.name, "html": frame})
                events[True] = {"type": "websocket.send", "text": text}
            for outbox in outboxes:
                outbox.write_event(events[outbox.is_page])
        if outboxes:
            metrics.count_broadcast(
                len(self._frame), len(frames), len(outboxes), self._published
            )
        self._frame.clear()
        self._published.clear()
        self._pause_until = now() + max(FRAME_WINDOW, now() - began)


def join(
    fragments: Iterable[str], *, is_json: bool = False, size: int = JOINED_SIZE
) -> Iterator[str]:
    """Join fragments, or arrays, into as few frames as their length allows."""
    frame: list[str] = []
    length = 0
    for fragment in fragments:
        if frame and length + len(fragment) > size:
            yield merge(frame, is_json=is_json)
            frame, length = [], 0
        frame.append(fragment)
        length += len(fragment)
    if frame:
        yield merge(frame, is_json=is_json)


def merge(fragments: Iterable[str], *, is_json: bool) -> str:
    if not is_json:
        return "".join(fragments)
    return f"[{','.join(array[1:-1] for array in fragments if array != '[]')}]"
