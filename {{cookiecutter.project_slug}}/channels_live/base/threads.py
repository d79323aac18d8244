"""Database work of sockets."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from django.db import close_old_connections
from django.utils.translation import get_language, override


def in_thread[**P, R](function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Make a function with database queries awaitable; several run at once.

    Channels' `database_sync_to_async` runs all calls of a process in one thread, where
    everyone waits for everyone's answers. The language goes along into the thread.
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
        return await asyncio.to_thread(work, get_language(), *args, **kwargs)

    return call
