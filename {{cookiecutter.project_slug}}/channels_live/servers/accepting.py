"""Lets connections in while there are file descriptors, where asyncio would try on.

Some are kept for databases, Redis and files, without which nobody is served.
"""

import logging
import os
from asyncio.selector_events import BaseSelectorEventLoop
from typing import Any

from channels_live.process import is_ending

logger = logging.getLogger(__name__)

# File descriptors that connections do not get.
SPARE = 32
# From one look to the next while there are no others, in seconds.
PAUSE = 1

Loop: Any = BaseSelectorEventLoop
_accept = Loop._accept_connection
_paused: set[int] = set()  # doors


def accept(loop: Any, factory: Any, door: Any, *details: Any) -> None:
    if is_full(door):
        loop._remove_reader(door.fileno())
        loop.call_later(PAUSE, go_on, loop, factory, door, *details)
        if not _paused:
            logger.error("No file descriptor is free: no connection is accepted.")
        _paused.add(door.fileno())
        return
    if door.fileno() in _paused:
        _paused.remove(door.fileno())
        logger.info("Connections are accepted again.")
    ssl, server, _, *others = details
    _accept(loop, factory, door, ssl, server, 1, *others)


def is_full(door: Any) -> bool:
    """Whether even the lowest number that is free is too high."""
    try:
        number = os.dup(door.fileno())
    except OSError:
        return True
    os.close(number)
    return number >= os.sysconf("SC_OPEN_MAX") - SPARE


def go_on(loop: Any, factory: Any, door: Any, *details: Any) -> None:
    if door.fileno() >= 0 and not is_ending():
        loop._start_serving(factory, door, *details)


def install() -> None:
    if hasattr(os, "sysconf"):  # not on Windows, where there is no such limit
        Loop._accept_connection = accept
