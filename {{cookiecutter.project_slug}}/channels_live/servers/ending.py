"""Ends a process without losing anyone: sockets are told to come back, and then it goes.

A frame that was read is answered before its socket is closed, and one that was not is
dropped whole: the page sends it again, to another process.

Nor is a connection closed at once in which a request may be on its way: no proxy dares
to send a form twice. Each answer that begins now says that it is the last.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from channels_live.base.close_code import CloseCode
from channels_live.base.work import in_own_thread
from channels_live.delivery.socket import Socket
from channels_live.process import get_process

logger = logging.getLogger(__name__)

# For requests to come in by open connections (a proxy sends them at once), for what is
# under way when the end comes, and then for browsers to answer, in seconds.
ASK = 0.5
FINISH = 4
ANSWER = 2
# The process is gone after as long, whatever holds it up, in seconds.
LIMIT = 15
# Signals of one moment mean the same: `uv run` passes on what all processes got, say.
MOMENT = 1
TICK = 0.02


def begin() -> None:
    """Refuse new sockets, and have the process gone after LIMIT."""
    get_process().is_ending = True
    see_to_the_end()


async def finish(is_open: Callable[[], bool], is_answering: Callable[[], bool]) -> None:
    """Answer who has asked, in open connections and sockets, and leave."""
    closing = asyncio.create_task(close_sockets())
    await until(lambda: not is_open(), ASK)
    await asyncio.gather(closing, until(lambda: not is_answering(), FINISH))
    await get_process().end()
    # uvicorn ends by a signal, without Python's own end.
    await in_own_thread(flush_logs)()


async def close_sockets() -> None:
    """Tell each socket to come back as soon as it has its answers, and wait for it."""
    process = get_process()
    sockets = process.sockets
    logger.info("Ending: %d sockets are told to come back.", len(sockets))
    for socket in sockets:
        socket.is_ending = True
    telling = [tell(socket) for socket in sockets if socket.is_idle]
    await until(lambda: all(socket.is_closed for socket in sockets), FINISH)
    telling += map(tell, sockets)
    await until(lambda: not sockets, ANSWER)
    for task in telling:
        task.cancel()  # those who read nothing any more


def tell(socket: Socket) -> "asyncio.Task[None]":
    close = socket.close(CloseCode.SERVICE_RESTART, reason="the process ends")
    return asyncio.create_task(close)


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, and no longer than that."""
    for _ in range(round(seconds / TICK)):
        if condition():
            return
        await asyncio.sleep(TICK)


def flush_logs() -> None:
    """Have the log send what it holds: a service that gathers errors is at a distance."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def see_to_the_end() -> None:
    """Have the process gone after LIMIT, or at once where it is told a second time."""
    began = time.monotonic()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - began > MOMENT:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
            os._exit(128 + number)  # the first process of a container is immune

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, on_signal)
    timer = threading.Timer(LIMIT, give_up)
    timer.daemon = True
    timer.start()


def give_up() -> None:
    logger.error("Something has not ended within %d s. The process goes now.", LIMIT)
    flush_logs()
    os._exit(1)
