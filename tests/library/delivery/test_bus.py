"""What happens while the channel layer is away."""

import asyncio
import logging

import pytest
from pytest_django import Settings

from channels_live import Fragment, apublish
from channels_live.process import get_process
from tests.library.helpers import layers
from tests.library.helpers.listening import ListHistory, listen
from tests.library.helpers.waiting import until


@pytest.fixture
def broken_layer(settings: Settings) -> None:
    layers.use(layers.BrokenLayer, settings)


@pytest.mark.usefixtures("broken_layer")
async def test_publishing_never_raises_and_complains_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        for _ in range(100):
            await apublish("here", "hello")

    assert len(caplog.records) == 1
    assert "connection refused" in caplog.text


async def test_a_process_that_starts_meanwhile_complains_once_too(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("channels_live.observe.outage.RETRY_AFTER", 0.01)
    layers.use(layers.AwayLayer, settings)

    with caplog.at_level(logging.ERROR):
        await get_process().start()
        await asyncio.sleep(0.1)

    assert len(caplog.records) == 1
    assert "connection refused" in caplog.text
    monkeypatch.setattr(layers.AwayLayer, "is_back", True)
    await until(lambda: get_process().hub.bus.channel)


@pytest.mark.usefixtures("broken_layer")
async def test_numbered_fragments_are_delivered_from_the_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 0.01)
    history = ListHistory()
    listener = await listen(history=history, after=0)

    history.add("a")
    await apublish("here", Fragment("a", 1))

    await listener.hears("a")
    assert listener.heard == "a"


async def test_half_a_character_is_an_error_at_once_and_holds_up_nobody() -> None:
    listener = await listen()

    with pytest.raises(ValueError, match="surrogates not allowed"):
        await apublish("here", "\ud800")

    await apublish("here", "hello")
    await listener.hears("hello")
