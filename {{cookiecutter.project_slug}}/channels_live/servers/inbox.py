"""What a server has received and an application has not read yet."""

import asyncio
from types import SimpleNamespace
from typing import Any


class Inbox:
    """What servers use of asyncio.Queue, whose deques and event take 3 KB a socket."""

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._readers: list[asyncio.Future[None]] = []

    def qsize(self) -> int:
        return len(self._items)

    def empty(self) -> bool:
        return not self._items

    def put_nowait(self, item: Any) -> None:
        self._items.append(item)
        for reader in self._readers:
            if not reader.done():
                reader.set_result(None)

    async def get(self) -> Any:
        while not self._items:
            reader = asyncio.get_running_loop().create_future()
            self._readers.append(reader)
            try:
                await reader
            finally:
                self._readers.remove(reader)
        return self._items.pop(0)


def use_inbox(module: Any) -> None:
    """Have a module of a server use it for asyncio.Queue."""
    module.asyncio = SimpleNamespace(**{**vars(asyncio), "Queue": Inbox})
