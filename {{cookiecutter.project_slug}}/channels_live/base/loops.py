"""Where coroutines run that any code may start: a view, a command, a task, a thread."""

import asyncio
from collections.abc import Coroutine
from threading import Event
from weakref import WeakSet

from channels_live.base.work import Tasks

# The event loops that serve sockets: a process has one, its tests have many. Not those
# that a command, or a thread, has for a moment.
serving: WeakSet[asyncio.AbstractEventLoop] = WeakSet()

# Whether this is a server, even if no socket has come yet.
is_server = Event()

_tasks = Tasks()


def serving_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that serves sockets here, if one does."""
    return next((loop for loop in serving if loop.is_running()), None)


def is_in_loop() -> bool:
    """Whether an event loop runs in this thread, so that nothing may block it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def start(coroutine: Coroutine[object, object, None]) -> None:
    """Run a coroutine, and wait for it only where no event loop is there to run it.

    A thread that waits for the loop would keep a server from ending.
    """
    if loop := serving_loop():
        loop.call_soon_threadsafe(_tasks.spawn, coroutine)
    elif is_in_loop():
        _tasks.spawn(coroutine)
    else:
        asyncio.run(coroutine)
