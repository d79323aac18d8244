"""Waiting for what nobody announces, such as a line in the log."""

import asyncio
from collections.abc import Callable

from channels_live.testing import WAIT

TICK = 0.01


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition. Raises TimeoutError where it never holds."""
    for _ in range(round(WAIT / TICK)):
        if condition():
            return
        await asyncio.sleep(TICK)
    raise TimeoutError
