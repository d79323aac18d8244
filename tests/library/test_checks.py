from typing import Any

import pytest
from django.core import checks
from pytest_django import Settings

IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
REDIS = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}


def warnings() -> list[str | None]:
    found = checks.run_checks(tags=[checks.Tags.compatibility])
    return [check.id for check in found if check.id == "channels_live.W001"]


@pytest.mark.parametrize(
    ("is_debug", "layer", "expected"),
    [
        (False, IN_MEMORY, ["channels_live.W001"]),
        (True, IN_MEMORY, []),
        (False, REDIS, []),
        (True, REDIS, []),
    ],
)
def test_production_is_warned_of_a_channel_layer_in_memory(
    settings: Settings, is_debug: bool, layer: dict[str, Any], expected: list[str]
) -> None:
    settings.DEBUG = is_debug
    settings.CHANNEL_LAYERS = {"default": layer}

    assert warnings() == expected
