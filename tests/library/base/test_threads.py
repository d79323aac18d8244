"""Threads for database queries: what they take, and how they end."""

import asyncio

import pytest

from channels_live import in_thread
from channels_live.base.threads import Lane


async def test_what_begins_while_the_interpreter_ends_is_cancelled_quietly() -> None:
    lane = Lane("ended", 1)
    lane._threads.shutdown()

    with pytest.raises(asyncio.CancelledError):
        await lane.in_thread(int)()


def test_a_coroutine_function_is_refused() -> None:
    async def work() -> None: ...

    with pytest.raises(TypeError, match="a sync function"):
        in_thread(work)
