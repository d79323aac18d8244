"""What these tests publish reaches sockets as from another process."""

import pytest

from channels_live import commands
from channels_live.delivery.sending import send


@pytest.fixture(autouse=True)
def only_by_the_channel_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "tell", send)
