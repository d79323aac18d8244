"""What the tests of groups listen with: sockets without a browser, and a history."""

import asyncio
from collections.abc import Collection
from typing import Any

from channels_live import Fragment, apublish
from channels_live.delivery.outbox import Outbox
from channels_live.process import get_process
from channels_live.testing import WAIT


class Listener:
    """A socket as the hub knows it, and the frames that came through it."""

    def __init__(self, *, is_json: bool = False) -> None:
        self.frames: list[str] = []
        self.overflows = 0
        self.outbox = Outbox(self.take, on_overflow=self.overflow)
        self.outbox.is_json = is_json
        self._news = asyncio.Event()

    @property
    def heard(self) -> str:
        return "".join(self.frames)

    async def take(self, message: dict[str, Any]) -> None:
        self.frames.append(message["text"])
        self._news.set()

    def overflow(self) -> None:
        self.overflows += 1

    async def hears(self, text: str) -> None:
        """Wait until a text came through. Raises TimeoutError where it never does."""
        async with asyncio.timeout(WAIT):
            while text not in self.heard:
                self._news.clear()
                await self._news.wait()


class ListHistory:
    """The numbered fragments of one group, in a list."""

    def __init__(self, *texts: str) -> None:
        self.fragments: list[Fragment] = []
        self.add(*texts)

    @property
    def last(self) -> int:
        return self.fragments[-1].number if self.fragments else 0

    def add(self, *texts: str) -> None:
        for text in texts:
            self.fragments.append(Fragment(text, self.last + 1))

    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        return dict.fromkeys(groups, self.last)

    async def load(self, group: str, after: int, limit: int) -> list[Fragment]:
        return [one for one in self.fragments if one.number > after][:limit]

    def skipped(self, group: str, after: int, until: int) -> str:
        return f"[skipped {after + 1} to {until}]"


async def listen(
    group: str = "here", *, history: ListHistory | None = None, after: int | None = None
) -> Listener:
    """A new socket that has joined a group."""
    listener = Listener()
    process = get_process()
    await process.start()
    await process.hub.join(group, listener.outbox, history=history, after=after)
    return listener


async def publish_numbers(history: ListHistory, *numbers: int) -> None:
    """Publish fragments that are in a history already, in any order."""
    for number in numbers:
        await apublish("here", history.fragments[number - 1])
