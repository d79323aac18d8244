"""Database work of sockets."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from django.db import close_old_connections


def in_thread[**P, R](function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Make a function with database queries awaitable; several run at once.

    Channels' `database_sync_to_async` runs all calls of a process in one thread, where
    everyone waits for everyone's answers.
    """

    def work(*args: P.args, **kwargs: P.kwargs) -> R:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(work, *args, **kwargs)

    return call
