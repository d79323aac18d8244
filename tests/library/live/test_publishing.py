"""What publish() says where nobody can hear it."""

import pytest
from channels.layers import InMemoryChannelLayer
from pytest_django import Settings

from channels_live import publish
from channels_live.base import loops
from channels_live.commands import complain
from tests.library.helpers import layers


def test_says_so_where_no_page_can_be_reached(
    caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    layers.use(InMemoryChannelLayer, settings)
    complain.cache_clear()
    loops.is_server.clear()
    for _ in range(2):
        publish("news", "<p>Hello</p>")
    assert caplog.text.count("reaches a page") == 1

    complain.cache_clear()
    loops.is_server.set()
    publish("news", "<p>Hello</p>")
    assert caplog.text.count("reaches a page") == 1
