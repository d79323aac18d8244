"""What a process does again and again, whatever happens meanwhile."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import InterfaceError, OperationalError
from pytest_django import Settings

from apps.realtime.hub import get_hub
from apps.realtime.publish import apublish
from apps.realtime.tests.listening import WAIT, listen
from apps.realtime.upkeep import every


async def repeat(job: Callable[[], Awaitable[None]], done: asyncio.Event) -> None:
    """Do a job every moment until it says that it is done."""
    repeating = asyncio.create_task(every(0.001, job))
    async with asyncio.timeout(WAIT):
        await done.wait()
    repeating.cancel()


async def test_a_job_that_fails_is_logged_and_done_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = asyncio.Event()
    results = iter([ValueError("oops"), None])

    async def water_the_plants() -> None:
        if error := next(results):
            raise error
        done.set()

    with caplog.at_level(logging.ERROR):
        await repeat(water_the_plants, done)

    assert "Failed to water_the_plants; trying again." in caplog.text
    assert "oops" in caplog.text


async def test_an_outage_of_the_database_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = asyncio.Event()
    results = iter([OperationalError("a"), InterfaceError("b"), OperationalError("c")])

    async def query() -> None:
        if error := next(results, None):
            raise error
        done.set()

    with caplog.at_level(logging.INFO, "apps.realtime"):
        await repeat(query, done)

    assert [record.getMessage() for record in caplog.records] == [
        "The database does not answer (OperationalError: a). "
        "Sockets stay open, and what is sent meanwhile stays pending."
    ]


async def test_a_process_leaves_though_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise OperationalError("the database is away")

    hub = get_hub()
    monkeypatch.setattr(hub.presence, "end", fail)

    await hub.upkeep.leave()

    assert "The database does not answer" in caplog.text


class ForgetfulLayer(InMemoryChannelLayer):
    """Forgets who is in a group, as Redis does when it is restarted."""

    refuses = False

    def __init__(self) -> None:
        super().__init__()
        self.was_joined = asyncio.Event()

    def forget(self) -> None:
        self.groups.clear()
        self.was_joined.clear()

    async def group_add(self, group: str, channel: str) -> None:
        if self.refuses:
            raise ConnectionError("connection refused")
        await super().group_add(group, channel)
        if group == "here":
            self.was_joined.set()


@pytest.fixture
async def layer(settings: Settings) -> ForgetfulLayer:
    backend = f"{ForgetfulLayer.__module__}.{ForgetfulLayer.__qualname__}"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend}}
    layer = get_channel_layer()
    assert isinstance(layer, ForgetfulLayer)
    return layer


async def test_subscriptions_are_renewed(
    layer: ForgetfulLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.realtime.upkeep.RENEWAL_INTERVAL", 0.01)
    listener = await listen()

    layer.forget()
    await asyncio.wait_for(layer.was_joined.wait(), WAIT)
    await apublish("here", "hello")

    await listener.hears("hello")


async def test_a_subscription_that_failed_is_tried_again(
    layer: ForgetfulLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.realtime.upkeep.HISTORY_INTERVAL", 0.01)
    monkeypatch.setattr("apps.realtime.outage.RETRY_AFTER", 0)
    layer.refuses = True
    listener = await listen()

    layer.refuses = False
    await asyncio.wait_for(layer.was_joined.wait(), WAIT)
    await apublish("here", "hello")

    await listener.hears("hello")
