"""Coroutines that are started from wherever code runs."""

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer
from django.db import connections
from pytest_django import Settings

from channels_live import disconnect, publish
from channels_live.base.tasks import start
from channels_live.base.threads import finish_threads
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


class NotingLayer(InMemoryChannelLayer):
    """Notes what is published, in its order."""

    sent: ClassVar[list[str]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        # As where Redis is known by its name.
        await asyncio.get_running_loop().getaddrinfo("localhost", None)
        self.sent.extend(html for html, _ in message["pairs"])


async def say(text: str) -> None:
    publish("here", text)


@pytest.mark.parametrize(
    "run",
    [lambda text: asyncio.run(say(text)), async_to_sync(say)],
    ids=["asyncio.run", "async_to_sync"],
)
def test_what_is_published_last_outlives_its_loop(
    run: Callable[[str], None], settings: Settings
) -> None:
    layers.use(NotingLayer, settings)
    NotingLayer.sent.clear()
    texts = [str(number) for number in range(50)]

    for text in texts:
        run(text)
    finish_threads()

    assert NotingLayer.sent == texts


COMMAND = """
import asyncio, django
django.setup()
from django.conf import settings
from tests.library import test_starting
from tests.library.helpers import layers
layers.use(test_starting.PrintingLayer, settings)
asyncio.run(test_starting.say("the last"))
"""


class PrintingLayer(NotingLayer):
    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(0.1)
        await super().group_send(group, message)
        print(*self.sent)


def test_what_a_command_publishes_last_is_sent_before_it_ends() -> None:
    run = [sys.executable, "-c", COMMAND]
    found = subprocess.run(run, capture_output=True, text=True, check=True)
    assert found.stdout == "the last\n"
    assert "Traceback" not in found.stderr


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
