"""Coroutines that are started from wherever code runs."""

import asyncio

from channels_live.commands.background import start


def test_without_a_loop_it_is_done_on_return() -> None:
    done: list[bool] = []

    async def run() -> None:
        await asyncio.sleep(0)
        done.append(True)

    start(run())

    assert done


async def test_on_a_loop_that_serves_no_sockets_it_is_done_soon() -> None:
    done = asyncio.Event()

    async def run() -> None:
        done.set()

    start(run())

    async with asyncio.timeout(5):
        await done.wait()
