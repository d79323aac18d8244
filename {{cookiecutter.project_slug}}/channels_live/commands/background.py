"""Lets code start a coroutine from wherever it runs: a view, a command, a consumer."""

import asyncio
from collections.abc import Coroutine

from channels_live.base.tasks import Tasks
from channels_live.process import serving_loop

_tasks = Tasks()


def start(coroutine: Coroutine[object, object, None]) -> None:
    """Run a coroutine, and do not wait for it where it has a loop to run on.

    A thread that waits for the loop would keep a server from ending.
    """
    if loop := serving_loop():
        loop.call_soon_threadsafe(_tasks.spawn, coroutine)
        return
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(coroutine)
    else:
        _tasks.spawn(coroutine)
