"""Workers of Channels: where there is no channel layer for jobs, they do not start."""

import pytest
from channels.layers import get_channel_layer
from django.core.management import CommandError, call_command
from pytest_django import Settings


def test_without_redis_a_worker_says_what_to_set(settings: Settings) -> None:
    in_memory = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    settings.CHANNEL_LAYERS = {"default": in_memory, "channels_live": in_memory}

    with pytest.raises(CommandError, match=r"'default' is in the memory .+ REDIS_URL"):
        call_command("runworker", "jobs")


def test_plain_channels_gets_what_its_documentation_describes(
    settings: Settings,
) -> None:
    backend = type(get_channel_layer()).__module__

    assert backend == (
        "channels_redis.core" if settings.REDIS_URLS else "channels.layers"
    )
