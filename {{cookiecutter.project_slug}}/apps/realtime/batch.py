"""Many calls as one, for work whose cost does not grow with its amount."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from weakref import WeakKeyDictionary

type Waiting[Item, Result] = list[tuple[Item, asyncio.Future[Result]]]
type Queues[Item, Result] = dict[Hashable, Waiting[Item, Result]]


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
        self._queues: WeakKeyDictionary[
            asyncio.AbstractEventLoop, Queues[Item, Result]
        ] = WeakKeyDictionary()
        self._work: set[asyncio.Task[None]] = set()

    async def submit(self, key: Hashable, item: Item) -> Result:
        """Return the function's result for an item; raises what the function raises."""
        loop = asyncio.get_running_loop()
        queues = self._queues.setdefault(loop, {})
        result: asyncio.Future[Result] = loop.create_future()
        if key in queues:
            queues[key].append((item, result))
        else:
            queues[key] = [(item, result)]
            work = asyncio.create_task(self._work_off(queues, key))
            self._work.add(work)
            work.add_done_callback(self._work.discard)
        return await result

    async def _work_off(self, queues: Queues[Item, Result], key: Hashable) -> None:
        try:
            while waiting := queues[key]:
                batch = waiting[: self.most]
                del waiting[: self.most]
                await self._call(batch)
        finally:
            del queues[key]

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
