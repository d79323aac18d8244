"""What servers and applications need of a queue, and no more."""

import asyncio

import pytest
from daphne import server as daphne_server
from uvicorn.protocols.websockets import websockets_sansio_impl

from channels_live.servers.inbox import Inbox


async def test_what_has_come_is_read_in_its_order() -> None:
    inbox = Inbox()
    assert inbox.empty()
    for number in range(3):
        inbox.put_nowait(number)

    assert inbox.qsize() == 3
    assert [await inbox.get() for _ in range(3)] == [0, 1, 2]
    assert inbox.empty()


async def test_a_reader_waits_for_what_comes() -> None:
    inbox = Inbox()
    readers = [asyncio.create_task(inbox.get()) for _ in range(2)]
    await asyncio.sleep(0)

    inbox.put_nowait(1)
    done, waiting = await asyncio.wait(readers, timeout=0.1)
    assert [one.result() for one in done] == [1]

    inbox.put_nowait(2)
    assert [await one for one in waiting] == [2]


async def test_a_reader_that_gives_up_loses_nothing_and_leaves_nothing() -> None:
    inbox = Inbox()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(inbox.get(), 0.01)
    assert not inbox._readers

    late = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put_nowait(1)
    late.cancel()  # when it has been woken
    with pytest.raises(asyncio.CancelledError):
        await late

    assert await inbox.get() == 1


def test_both_servers_use_it() -> None:
    for module in (daphne_server, websockets_sansio_impl):
        assert module.asyncio.Queue is Inbox
        assert module.asyncio.Event is asyncio.Event
