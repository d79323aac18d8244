"""What these tests publish reaches sockets as from another process."""

from collections.abc import Coroutine

import pytest

from channels_live import commands
from channels_live.base.messages import Message
from channels_live.delivery.sending import send


@pytest.fixture(autouse=True)
def only_by_the_channel_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver(message: Message) -> Coroutine[object, object, bool]:
        return send(message.group, message)

    monkeypatch.setattr(commands, "deliver", deliver)
