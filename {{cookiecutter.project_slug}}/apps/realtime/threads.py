"""Database work of sockets."""

from collections.abc import Callable, Coroutine
from typing import Any

from channels.db import database_sync_to_async


def in_thread[**P, R](function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Make a function with database queries awaitable: Channels' helper, several at once.

    `database_sync_to_async` alone runs all calls of a process in one thread, one after
    the other, which an answer from the database holds up for everyone.
    """
    return database_sync_to_async(function, thread_sensitive=False)
