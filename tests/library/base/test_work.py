"""Threads for database queries, at the end of the interpreter."""

import asyncio

import pytest

from channels_live.base.work import Lane


async def test_what_begins_while_the_interpreter_ends_is_cancelled_quietly() -> None:
    lane = Lane("ended", 1)
    lane._threads.shutdown()

    with pytest.raises(asyncio.CancelledError):
        await lane.in_thread(int)()
