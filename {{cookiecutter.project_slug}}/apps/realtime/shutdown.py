"""Ends a process without losing anyone: sockets are told to come back, and then it goes.

A frame that was read is answered before its socket is closed, and one that was not is
dropped whole: the page sends it again, to another process.

Nor is a connection closed at once in which a request may be on its way, be it a new one
or one that was kept alive: no proxy dares to send a form twice. Each answer that begins
now says that it is the last, and whoever has not asked is waited for, a little.
servers/*_ending.py call this.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from apps.realtime.codes import COME_BACK
from apps.realtime.hub import get_hub
from apps.realtime.routing import Refuse

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


class Socket:
    """An open socket, between its server and its consumer."""

    def __init__(self, receive: Any, send: Any) -> None:
        self._receive = receive
        self._send = send
        self.is_idle = False
        self.is_told = False

    async def receive(self) -> Any:
        self.is_idle = True
        if farewell.has_begun:
            await self.tell()
        message = await self._receive()
        while self.is_told and message["type"] == "websocket.receive":
            message = await self._receive()
        self.is_idle = False
        return message

    async def tell(self) -> None:
        """Close the socket in such a way that its browser comes back."""
        if self.is_told:
            return
        self.is_told = True
        try:
            await self._send({"type": "websocket.close", "code": COME_BACK})
        except Exception as error:  # each server has its own for one that is gone
            logger.debug("A socket was gone already: %r", error)


class Farewell:
    """What the sockets of this process are told at its end."""

    def __init__(self) -> None:
        self.sockets: set[Socket] = set()
        self.has_begun = False

    async def say(self) -> None:
        """Tell each socket as soon as it has its answers; wait until they are closed."""
        self.has_begun = True
        logger.info("Ending: %d sockets are told to come back.", len(self.sockets))
        telling = [self._tell(socket) for socket in self.sockets if socket.is_idle]
        await until(lambda: all(socket.is_told for socket in self.sockets), FINISH)
        telling += map(self._tell, self.sockets)
        await until(lambda: not self.sockets, ANSWER)
        for task in telling:
            task.cancel()  # those who read nothing any more

    def _tell(self, socket: Socket) -> asyncio.Task[None]:
        return asyncio.create_task(socket.tell())


farewell = Farewell()


class ShutdownMiddleware:
    """Knows the open sockets, and refuses those that come too late."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if farewell.has_begun:
            await Refuse("the process ends")(scope, receive, send)
            return
        socket = Socket(receive, send)
        farewell.sockets.add(socket)
        try:
            await self.inner(scope, socket.receive, send)
        finally:
            farewell.sockets.discard(socket)


async def until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, and no longer than that."""
    for _ in range(round(seconds / TICK)):
        if condition():
            return
        await asyncio.sleep(TICK)


async def leave() -> None:
    """Take this process out of presence, so that nobody has to take it for dead."""
    hub = get_hub()
    hub.stop()
    await hub.upkeep.leave()
    # uvicorn ends by a signal, without Python's own end.
    await asyncio.to_thread(flush_logs)


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
