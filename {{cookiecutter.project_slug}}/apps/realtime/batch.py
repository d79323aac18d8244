"""Many calls as one, for work whose cost does not grow with its amount."""

import asyncio
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

type Waiting[Item, Result] = list[tuple[Item, asyncio.Future[Result]]]


class Batcher[Item, Result]:
    """Collects what is submitted while the function is at work, for its next call.

    A lone item is worked on at once; under load, a transaction (say) is shared by as
    many as came while the one before it was committed. Items keep their order.
    """

    def __init__(
        self, function: Callable[[list[Item]], Awaitable[list[Result]]], most: int = 100
    ) -> None:
        """`function` returns a result for each of at most `most` items."""
        self.function = function
        self.most = most
        # A process has one event loop; its tests have many.
        self._waiting: WeakKeyDictionary[
            asyncio.AbstractEventLoop, Waiting[Item, Result]
        ] = WeakKeyDictionary()
        self._work: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Result:
        """Return the function's result for an item; raises what the function raises."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Result] = loop.create_future()
        waiting = self._waiting.get(loop)
        if waiting is not None:
            waiting.append((item, result))
        else:
            waiting = self._waiting[loop] = [(item, result)]
            work = asyncio.create_task(self._work_off(loop, waiting))
            self._work.add(work)
            work.add_done_callback(self._work.discard)
        return await result

    async def _work_off(
        self, loop: asyncio.AbstractEventLoop, waiting: Waiting[Item, Result]
    ) -> None:
        try:
            while waiting:
                batch = waiting[: self.most]
                del waiting[: self.most]
                await self._call(batch)
        finally:
            del self._waiting[loop]

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
