"""Coroutines that nobody awaits."""

import asyncio
import logging
from collections.abc import Coroutine
from contextvars import Context

logger = logging.getLogger(__name__)


class Tasks:
    """Holds tasks until they are done, and logs what they raise."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, coroutine: Coroutine[object, object, None]) -> asyncio.Task[None]:
        # What holds for the socket that is here now, such as its language or its user in
        # the log, does not here.
        task = asyncio.get_running_loop().create_task(coroutine, context=Context())
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
