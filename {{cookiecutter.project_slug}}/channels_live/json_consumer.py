"""The base of consumers whose clients are scripts and apps."""

from collections.abc import Mapping

from channels_live.base.frames import encode
from channels_live.consumers import Consumer


class JsonConsumer(Consumer):
    """A socket that listens to groups of events, which are JSON objects.

    Frames from the client are objects. Frames to the client are arrays of events: those
    of one moment share a frame. The answer to "ping" is an array of none.
    """

    pong = "[]"

    def push(self, event: Mapping[str, object]) -> None:  # type: ignore[override]
        """Write an event to this socket alone. Never waits."""
        self.socket.outbox.write(encode(event))

    async def reject(self, sentence: str) -> None:
        """Tell the client what was wrong with its frame."""
        self.push({"error": sentence})

    async def connect(self) -> None:
        self.socket.outbox.is_json = True
        await super().connect()
