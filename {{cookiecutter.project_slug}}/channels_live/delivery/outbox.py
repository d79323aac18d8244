"""One socket's way out."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from channels_live.base.asgi import Event, Send

# What a socket may be behind, in characters, before it is closed.
MAX_WAITING = 128 * 1024
# The longest frame that is made by joining fragments, in characters: of what goes out to
# all at once; and of what waits, for on a slow link whole frames are the signs of life.
FAN_OUT_SIZE = 64 * 1024
JOINED_SIZE = 16 * 1024


class Outbox:
    """Writes frames to a socket without ever waiting for it.

    While the server reports that the socket takes no more (its `send` does not
    complete), frames are kept, and go out joined into one as soon as it does. A
    socket that falls further behind than MAX_WAITING is reported to `on_overflow`,
    once, and gets nothing more.
    """

    # Whether it stands for others, who take what comes with any history.
    is_relay = False

    __slots__ = (
        "closed",
        "is_json",
        "on_overflow",
        "send",
        "sending",
        "size",
        "waiting",
    )

    def __init__(self, send: Send, on_overflow: Callable[[], None]) -> None:
        self.send = send
        self.on_overflow = on_overflow
        self.sending: asyncio.Task[None] | None = None
        self.waiting: list[str] = []
        self.size = 0
        self.closed = False
        self.is_json = False  # frames are arrays of events, and not HTML

    def write(self, frame: str) -> None:
        self.write_event({"type": "websocket.send", "text": frame})

    def write_event(self, event: Event) -> None:
        """Write a ready event: fan-out makes one for all sockets of a group."""
        if self.closed:
            return
        if self.sending is None:
            self._start(event)
            return
        self.waiting.append(event["text"])
        self.size += len(event["text"])
        if self.size > MAX_WAITING:
            self.close()
            self.on_overflow()

    async def drain(self) -> None:
        """Wait until the socket has taken what was written."""
        while self.sending is not None:
            await asyncio.wait([self.sending])

    def close(self) -> None:
        """Drop what waits and refuse what comes."""
        self.closed = True
        self.waiting.clear()

    def _start(self, event: Event) -> None:
        # An eager task runs at once, and is done at once unless the server pauses it.
        task = asyncio.Task(
            self._send(event), loop=asyncio.get_running_loop(), eager_start=True
        )
        if not task.done():
            self.sending = task
            task.add_done_callback(self._flush)

    async def _send(self, event: Event) -> None:
        try:
            await self.send(event)
        except Exception:  # each server has its own for a socket that is gone
            self.close()

    def _flush(self, task: asyncio.Task[None]) -> None:
        self.sending = None
        waiting, self.waiting = self.waiting, []
        self.size = 0
        for frame in join(waiting, is_json=self.is_json):
            self.write(frame)


def join(
    fragments: Iterable[str], *, is_json: bool = False, size: int = JOINED_SIZE
) -> Iterator[str]:
    """Join fragments, or arrays, into as few frames as their length allows."""
    merge = merge_arrays if is_json else "".join
    frame: list[str] = []
    length = 0
    for fragment in fragments:
        if frame and length + len(fragment) > size:
            yield merge(frame)
            frame, length = [], 0
        frame.append(fragment)
        length += len(fragment)
    if frame:
        yield merge(frame)


def merge_arrays(arrays: Iterable[str]) -> str:
    return f"[{','.join(array[1:-1] for array in arrays if array != '[]')}]"
