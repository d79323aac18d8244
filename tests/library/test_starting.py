"""Coroutines that are started from wherever code runs."""

import asyncio
import logging
import threading
from typing import Any, ClassVar

import pytest
from channels.layers import InMemoryChannelLayer
from django.db import connections
from pytest_django import Settings

from channels_live import disconnect, publish
from channels_live.base.work import start
from channels_live.delivery.sending import EVERYBODY
from channels_live.process import get_process
from channels_live.testing import WAIT
from tests.library.helpers import layers
from tests.library.helpers.waiting import until


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


async def test_what_a_coroutine_of_a_thread_raises_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await get_process().start()

    async def fail() -> None:
        raise RuntimeError("not thought of")

    await asyncio.to_thread(start, fail())

    await until(lambda: caplog.records)
    (failure,) = caplog.records
    assert failure.levelno == logging.ERROR
    assert failure.exc_info
    assert "RuntimeError: not thought of" in caplog.text
    assert "in fail" in caplog.text  # where it happened


class SlowLayer(InMemoryChannelLayer):
    """Takes its time, and notes the groups that were sent something."""

    sent: ClassVar[list[str]] = []
    is_busy = threading.Event()

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.is_busy.set()
        await asyncio.sleep(0.1 if group == EVERYBODY else 0.3)
        self.sent.append(group)


@pytest.mark.django_db(transaction=True)
def test_a_thread_leaves_nothing_to_the_short_lived_loop_of_another(
    settings: Settings,
) -> None:
    layers.use(SlowLayer, settings)

    def tell() -> None:
        disconnect(session="a")
        connections.close_all()

    other = threading.Thread(target=tell)
    other.start()
    assert SlowLayer.is_busy.wait(WAIT)

    publish("here", "hello")
    other.join()

    assert set(SlowLayer.sent) == {EVERYBODY, "here"}
