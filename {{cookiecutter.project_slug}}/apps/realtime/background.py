"""Lets code start a coroutine from wherever it runs: a view, a command, a consumer."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from weakref import WeakSet

# The event loops of this process that serve sockets: one, outside of tests.
_loops: WeakSet[asyncio.AbstractEventLoop] = WeakSet()
_tasks: set[asyncio.Task[None]] = set()


def offer(loop: asyncio.AbstractEventLoop) -> None:
    """Have coroutines started on this loop from now on."""
    _loops.add(loop)


def start(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine, and do not wait for it where it has a loop to run on.

    A thread that waits for the loop would keep a server from ending.
    """
    for loop in _loops:
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(coroutine, loop)
            return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(coroutine)
        return
    task = loop.create_task(coroutine)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
