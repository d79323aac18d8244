"""Many calls as one, for work whose cost does not grow with its amount."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable

type Waiting[Item, Result] = list[tuple[Item, asyncio.Future[Result]]]


class Batcher[Item, Result]:
    """Collects what is submitted while the function is at work, for its next call.

    A lone item is worked on at once; under load, a transaction (say) is shared by as
    many as came while the one before it was committed. Items of one key keep their
    order, and wait for no other key's.
    """

    def __init__(
        self, function: Callable[[list[Item]], Awaitable[list[Result]]], most: int = 100
    ) -> None:
        """`function` returns a result for each of at most `most` items of one key."""
        self.function = function
        self.most = most
        # A process has one event loop; its tests have many.
        self._queues: dict[Hashable, Waiting[Item, Result]] = {}
        self._work: set[asyncio.Task[None]] = set()

    async def submit(self, key: Hashable, item: Item) -> Result:
        """Return the function's result for an item; raises what the function raises."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Result] = loop.create_future()
        if queue := self._queues.get((loop, key)):
            queue.append((item, result))
        else:
            self._queues[loop, key] = [(item, result)]
            work = loop.create_task(self._work_off((loop, key)))
            self._work.add(work)
            work.add_done_callback(self._work.discard)
        return await result

    async def _work_off(self, key: Hashable) -> None:
        try:
            while waiting := self._queues[key]:
                # Only what is done leaves the queue: while it is not empty, its next
                # items have somebody at work.
                batch = waiting[: self.most]
                await self._call(batch)
                del waiting[: len(batch)]
        finally:
            del self._queues[key]

    async def _call(self, batch: Waiting[Item, Result]) -> None:
        try:
            results = await self.function([item for item, _ in batch])
        except Exception as error:
            for _, result in batch:
                if not result.done():
                    result.set_exception(error)
            return
        for (_, result), value in zip(batch, results, strict=True):
            if not result.done():
                result.set_result(value)
