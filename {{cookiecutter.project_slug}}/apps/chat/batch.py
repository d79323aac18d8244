"""Many calls as one, for work that costs the same for one item and for many."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping

# Turns of the event loop between two calls: callers get their results, and frames that
# have come are read. Meanwhile no thread competes with it, and the next call has more items.
TURNS = 2

type Results[Item, Result] = Mapping[Item, Result | Exception]


class Batcher[Item: Hashable, Result]:
    """Collects the items that come while the function is busy for its next call.

    A lone item is worked on at once. Under load, all items that came during one call,
    or right after it, share the next. Items of one key keep their order, and never wait
    for another key.
    """

    def __init__(
        self,
        function: Callable[[Collection[Item]], Awaitable[Results[Item, Result]]],
        most: int = 100,
    ) -> None:
        """`function` returns the result of each of up to `most` items of one key."""
        self.function = function
        self.most = most
        # A future belongs to an event loop, and so does a queue of them.
        self._queues: dict[Hashable, list[tuple[Item, asyncio.Future[Result]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, key: Hashable, item: Item) -> Result:
        """Return the result of an item. Raise it, if it is an exception."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        if queue := self._queues.get((loop, key)):
            queue.append((item, future))
        else:
            self._queues[loop, key] = [(item, future)]
            task = loop.create_task(self._empty((loop, key)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _empty(self, key: Hashable) -> None:
        try:
            while queue := self._queues[key]:
                batch = queue[: self.most]
                results = await self._call({item: None for item, _ in batch})
                for item, future in batch:
                    settle(future, results[item])
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                # Last: while the queue has items, submit() starts no other task.
                del queue[: len(batch)]
        finally:
            del self._queues[key]

    async def _call(self, items: Collection[Item]) -> Results[Item, Result]:
        try:
            return await self.function(items)
        except Exception as error:
            return dict.fromkeys(items, error)


def settle[Result](future: asyncio.Future[Result], result: Result | Exception) -> None:
    if future.done():  # whoever submitted the item was cancelled
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
