"""Ends a process without losing anyone: sockets are told to come back, and then it goes.

A frame that was read is answered before its socket is closed, and one that was not is
dropped whole: the page sends it again, to another process.

Nor is a connection closed at once in which a request may be on its way: no proxy dares
to send a form twice. Each answer that begins now says that it is the last.
"""

import asyncio
import faulthandler
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from select import select
from typing import Any

from channels_live.base.close_code import CloseCode
from channels_live.base.threads import in_own_thread
from channels_live.process import get_process
from channels_live.servers.door import refuse_new

logger = logging.getLogger(__name__)

# For handshakes of TCP to end, for requests to come in by open connections (a proxy sends
# them at once), for what is under way when the end comes, and then for browsers to answer,
# in seconds.
KNOCK = 0.05
ASK = 0.5
FINISH = 4
ANSWER = 2
# Of the event loop, until who has been let in is heard.
TURNS = 4
# The process is gone after as long, whatever holds it up, in seconds.
LIMIT = 15
# Signals of one moment mean the same: `uv run` passes on what all processes got, say.
MOMENT = 1
TICK = 0.02


async def begin(ports: Sequence[Any]) -> None:
    """Refuse new sockets, and connections to ports of this process alone.

    Whoever has come to one is let in before it may be closed.
    """
    get_process().is_ending = True
    see_to_the_end()
    for port in ports:
        refuse_new(port)
    await asyncio.sleep(KNOCK)
    await until(lambda: not (ports and select(ports, [], [], 0)[0]), FINISH)
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def finish(is_answering: Callable[[], bool]) -> None:
    """Answer who has asked, in open connections and sockets, and leave."""
    closing = asyncio.create_task(close_sockets())
    await asyncio.sleep(ASK)
    await until(lambda: not is_answering(), FINISH)
    await closing
    await get_process().end()
    # uvicorn ends by a signal, without Python's own end.
    await in_own_thread(logging.shutdown)()


async def close_sockets() -> None:
    """Tell each socket to come back as soon as it has its answers, and wait for it."""
    sockets = get_process().sockets
    logger.info("Shutting down: %d sockets are told to reconnect.", len(sockets))
    for socket in sockets:
        socket.is_ending = True
        if socket.is_idle:
            socket.terminate(CloseCode.SERVICE_RESTART)
    await until(lambda: all(socket.is_closed for socket in sockets), FINISH)
    for socket in sockets:
        if not socket.is_closed:
            socket.terminate(CloseCode.SERVICE_RESTART)
    await until(lambda: not sockets, ANSWER)


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, and no longer than that."""
    for _ in range(round(seconds / TICK)):
        if condition():
            return
        await asyncio.sleep(TICK)


def see_to_the_end() -> None:
    """Have the process gone after LIMIT, or at once where it is told a second time."""
    # Where something holds it up, this is written to the standard error.
    faulthandler.dump_traceback_later(LIMIT, exit=True)
    with suppress(ValueError):  # of a server in a thread, which gets no signals
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
            later = asyncio.get_running_loop().call_later
            later(MOMENT, signal.signal, number, signal.SIG_DFL)
