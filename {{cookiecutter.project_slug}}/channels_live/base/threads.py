"""Threads for database queries."""

import asyncio
import atexit
import logging
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.db import close_old_connections, connections
from django.utils.translation import get_language, override

from channels_live.base.primary import from_primary

logger = logging.getLogger(__name__)


def log_error(done: asyncio.Task[Any] | Future[Any]) -> None:
    if not done.cancelled() and (error := done.exception()):
        logger.error("A background task has failed.", exc_info=error)


def is_of_the_end(error: Exception) -> bool:
    """Whether threads take no more work, because the interpreter ends."""
    return isinstance(error, RuntimeError) and str(error).endswith(" shutdown")


class Lane:
    """Threads for one purpose. What waits there holds up nothing else."""

    under_way: set[Future[Any]] = set()  # in all lanes

    def __init__(
        self, name: str, threads: int, initializer: Callable[[], None] | None = None
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, name, initializer)

    def submit[**P, R](
        self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> Future[R]:
        """Call a function with database queries. The language goes along."""
        language = get_language()

        def work() -> R:
            from_primary.set(True)
            close_old_connections()
            try:
                with override(language):
                    return function(*args, **kwargs)
            finally:
                close_old_connections()

        try:
            future = self._threads.submit(copy_context().run, work)
        except RuntimeError as error:
            if not is_of_the_end(error):
                raise
            raise asyncio.CancelledError from error
        self.under_way.add(future)
        future.add_done_callback(self.under_way.discard)
        return future

    def in_thread[**P, R](
        self, function: Callable[P, R]
    ) -> Callable[P, Coroutine[Any, Any, R]]:
        """Make a function with database queries awaitable. Several calls run at once.

        Channels' `database_sync_to_async` runs all calls of a process in one thread,
        where each call waits for the others.
        """
        if iscoroutinefunction(function):
            raise TypeError(f"Expected a sync function, got {function!r}: await it.")

        @wraps(function)
        async def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return await asyncio.wrap_future(self.submit(function, *args, **kwargs))

        return call


def finish_threads() -> None:
    """Wait for what is under way, as tests do before they empty the database."""
    wait(tuple(Lane.under_way))


# Before Python forbids new threads, which a look-up of Redis' host needs.
threading._register_atexit(finish_threads)  # type: ignore[attr-defined]

# By database alias, where Django's backend for PostgreSQL pools connections.
own_pools: dict[str, Any] = {}


def use_own_pools() -> None:
    """Have this thread wait for no connection that requests hold.

    Not in tests: Django would not close these pools before it deletes the database.
    """
    if "channels_live.runner" in sys.modules:
        return
    connection: Any
    for connection in connections.all():
        connection._connection_pools = own_pools


@atexit.register
def close_own_pools() -> None:
    """End their threads. Python would wait five seconds for each, in vain."""
    for pool in own_pools.values():
        pool.close()


# Of consumers, with what they store, look up and render.
in_thread = Lane("project", 5).in_thread
# Of what must not wait for them: logins, revocation, presence. Neither waits for what
# projects do in asyncio.to_thread().
_own = Lane("channels_live", 3, use_own_pools)
in_own_thread = _own.in_thread


def start_in_thread[**P](
    function: Callable[P, object], *args: P.args, **kwargs: P.kwargs
) -> None:
    """Call a function with database queries soon, whatever becomes of this event loop."""
    _own.submit(function, *args, **kwargs).add_done_callback(log_error)


def wait_for[T](function: Callable[[], T]) -> T:
    """Call a function that may have queries, from sync or async code, which waits."""
    try:
        return function()
    except SynchronousOnlyOperation:
        # Django allows no query on the event loop's own thread.
        return _own.submit(function).result()
