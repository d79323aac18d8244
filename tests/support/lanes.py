"""Threads that a test waits for with a limit, and that keep no process from ending."""

import threading
from collections.abc import Callable
from concurrent.futures import Future


def begin[T](function: Callable[..., T], *args: object) -> Future[T]:
    """Call a function in a thread; what it returns or raises.

    An executor would wait for it without end, also where the test has failed.
    """
    future = Future[T]()

    def run() -> None:
        try:
            future.set_result(function(*args))
        except BaseException as error:  # noqa: BLE001
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
