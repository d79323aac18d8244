"""Work beside what a socket does: tasks that nobody awaits, and database queries."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial, wraps
from typing import Any
from weakref import WeakSet

from django.core.exceptions import SynchronousOnlyOperation
from django.db import close_old_connections, connections
from django.utils.translation import get_language, override

logger = logging.getLogger(__name__)


class Tasks:
    """Holds tasks until they are done, and logs what they raise."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(
        self, coroutine: Coroutine[object, object, None], context: Context | None = None
    ) -> asyncio.Task[None]:
        # Without a context, what holds for the socket that is here now, such as its
        # language or its user in the log, does not hold there.
        loop = asyncio.get_running_loop()
        task = loop.create_task(coroutine, context=context or Context())
        self._tasks.add(task)
        task.add_done_callback(self._finish)
        return task

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A background task has failed.", exc_info=error)


_lanes: "WeakSet[Lane]" = WeakSet()


class Lane:
    """Threads for one purpose. What waits there holds up nothing else."""

    def __init__(self, name: str, threads: int) -> None:
        self._make = partial(ThreadPoolExecutor, threads, name)
        self._threads = self._make()
        _lanes.add(self)

    def finish(self) -> None:
        """Wait for what is under way, as tests do before they empty the database."""
        self._threads.shutdown()
        self._threads = self._make()

    def in_thread[**P, R](
        self, function: Callable[P, R]
    ) -> Callable[P, Coroutine[Any, Any, R]]:
        """Make a function with database queries awaitable; several run at once.

        Channels' `database_sync_to_async` runs all calls of a process in one thread,
        where everyone waits for everyone's answers. The language goes along.
        """

        def work(language: str | None, /, *args: P.args, **kwargs: P.kwargs) -> R:
            close_old_connections()
            try:
                with override(language):
                    return function(*args, **kwargs)
            finally:
                close_old_connections()

        @wraps(function)
        async def call(*args: P.args, **kwargs: P.kwargs) -> R:
            run = partial(copy_context().run, work, get_language(), *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(self._threads, run)

        return call


def finish_lanes() -> None:
    for lane in tuple(_lanes):
        lane.finish()


# Of consumers, with what they store, look up and render.
in_thread = Lane("project", 5).in_thread
# Of what must not wait for them: logins, revocation, presence. Neither waits for what
# projects do in asyncio.to_thread().
in_own_thread = Lane("channels_live", 3).in_thread


def wait_for[T](function: Callable[[], T]) -> T:
    """Call a function that may have queries, from sync or async code, which waits."""
    try:
        return function()
    except SynchronousOnlyOperation:
        # Django allows no query on the event loop's own thread.
        with ThreadPoolExecutor(max_workers=1) as executor:
            try:
                return executor.submit(copy_context().run, function).result()
            finally:
                executor.submit(connections.close_all)
