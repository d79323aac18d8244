"""Many questions in one call."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from contextvars import Context


class Batch[Item: Hashable, Result]:
    """Asks for many items in one call: for all that come while the last call goes on.

    A lone item is asked for at once.
    """

    def __init__(
        self, function: Callable[[Collection[Item]], Awaitable[Mapping[Item, Result]]]
    ) -> None:
        self._function = function
        self._turn = asyncio.Lock()
        self._next: tuple[list[Item], asyncio.Task[Mapping[Item, Result]]] | None = None

    async def get(self, item: Item) -> Result | None:
        """Return what the function has for an item. Raises what it raises."""
        if self._next is None:
            items: list[Item] = []
            call = asyncio.create_task(self._call(items), context=Context())
            # Whoever would hear of its error may have been cancelled.
            call.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._next = items, call
        items, calling = self._next
        items.append(item)
        # Whoever is cancelled takes nothing from the others.
        return (await asyncio.shield(calling)).get(item)

    async def _call(self, items: Collection[Item]) -> Mapping[Item, Result]:
        async with self._turn:
            self._next = None
            return await self._function(items)
