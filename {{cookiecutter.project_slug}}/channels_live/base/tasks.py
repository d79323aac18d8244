"""Tasks that nobody awaits."""

import asyncio
import threading
from collections import deque
from collections.abc import Coroutine
from contextvars import Context
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from channels_live.base.threads import Lane, log_error

# Whether this is a server, even if no socket has come yet.
is_server = threading.Event()
# The event loops that serve sockets: a process has one, its tests have many. Not those
# that a command, or a thread, has for a moment.
serving: WeakSet[asyncio.AbstractEventLoop] = WeakSet()


class Tasks:
    """Holds tasks until they are done, and logs what they raise."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def spawn(
        self,
        coroutine: Coroutine[object, object, object],
        context: Context | None = None,
    ) -> asyncio.Task[object]:
        # Without a context, what holds for the socket that is here now, such as its
        # language or its user in the log, does not hold there.
        loop = asyncio.get_running_loop()
        task = loop.create_task(coroutine, context=context or Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(log_error)
        return task

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()


_tasks = Tasks()
# Of what is published by loops that end soon: one thread, which keeps the order.
_publishing = Lane("channels_live-publishing", 1)
# What each loop has still to take from threads. To wake it for each would cost more.
_started: WeakKeyDictionary[asyncio.AbstractEventLoop, deque[Any]] = WeakKeyDictionary()


def is_in_loop() -> bool:
    """Whether an event loop runs in this thread, so that nothing may block it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def start(coroutine: Coroutine[object, object, object]) -> None:
    """Run a coroutine without queries, and wait for it only where no event loop runs.

    A thread that waits for the loop would keep a server from ending. A loop that serves
    no sockets may end at once, and cancels its tasks.
    """
    if loop := next((loop for loop in serving if loop.is_running()), None):
        started = _started.setdefault(loop, deque())
        started.append(coroutine)
        if len(started) == 1:  # or the loop is about to take this one as well
            loop.call_soon_threadsafe(spawn_all, started)
    elif is_in_loop():
        _publishing.submit(asyncio.run, coroutine).add_done_callback(log_error)
    else:
        asyncio.run(coroutine)


def spawn_all(coroutines: deque[Coroutine[object, object, object]]) -> None:
    while coroutines:
        _tasks.spawn(coroutines.popleft())
