"""Has an event loop accept no connection that would take the last file descriptors."""

import logging
import os
from asyncio.selector_events import BaseSelectorEventLoop
from typing import Any

from channels_live.process import is_ending

logger = logging.getLogger(__name__)

# File descriptors that connections do not get: without databases, Redis and files, nobody
# is served.
SPARE = 32
# Connections that are accepted between two looks at these: one by one, each would be alone
# with what the database is asked once for all that come together.
AT_ONCE = 16
# From one look to the next while there are no others, in seconds.
PAUSE = 1

Loop: Any = BaseSelectorEventLoop

_accept = Loop._accept_connection
_full: set[int] = set()  # doors


def accept(loop: Any, factory: Any, door: Any, *details: Any) -> None:
    """Let in some of those who wait, or wait for room."""
    number = door.fileno()
    if has_room():
        _full.discard(number)
        ssl, server, _, *others = details
        _accept(loop, factory, door, ssl, server, AT_ONCE, *others)
        return
    if number not in _full:
        logger.error("No file descriptor is free: new connections wait.")
    _full.add(number)
    loop._remove_reader(number)
    loop.call_later(PAUSE, go_on, loop, factory, door, *details)


def go_on(loop: Any, factory: Any, door: Any, *details: Any) -> None:
    if door.fileno() >= 0 and not is_ending():
        loop._start_serving(factory, door, *details)


def has_room() -> bool:
    """Whether the lowest number that is free is low enough."""
    try:
        number = os.open(os.devnull, os.O_RDONLY)
    except OSError:
        return False
    os.close(number)
    most = os.sysconf("SC_OPEN_MAX")
    return most < 0 or number < most - SPARE  # below 0: without end


def install() -> None:
    if hasattr(os, "sysconf"):  # not on Windows, where there is no such limit
        Loop._accept_connection = accept
