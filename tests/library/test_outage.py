"""What happens while the channel layer is away."""

import logging
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from pytest_django import Settings

from apps.realtime.publish import apublish
from apps.realtime.tests.listening import ListHistory, listen


class BrokenLayer(InMemoryChannelLayer):
    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        raise ConnectionError("connection refused")

    group_add = group_send  # type: ignore[assignment]


@pytest.fixture
def broken_layer(settings: Settings) -> None:
    backend = f"{BrokenLayer.__module__}.{BrokenLayer.__qualname__}"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend}}


@pytest.mark.usefixtures("broken_layer")
async def test_publishing_never_raises_and_complains_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        for _ in range(100):
            await apublish("here", "hello")

    assert len(caplog.records) == 1
    assert "connection refused" in caplog.text


@pytest.mark.usefixtures("broken_layer")
async def test_numbered_fragments_are_delivered_from_the_history(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("apps.realtime.upkeep.HISTORY_INTERVAL", 0.01)
    history = ListHistory()
    listener = await listen(history=history, after=0)

    history.add("a")
    await apublish("here", "a", number=1)

    await listener.hears("a")
    assert listener.heard == "a"
