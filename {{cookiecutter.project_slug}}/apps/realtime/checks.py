"""System checks of the WebSocket side, run by every manage.py command."""

from collections.abc import Sequence
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.compatibility)
def check_channel_layer(**kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Warn where production runs on a channel layer that no other process sees."""
    if settings.DEBUG or not isinstance(get_channel_layer(), InMemoryChannelLayer):
        return []
    return [
        checks.Warning(
            "DEBUG is false and the channel layer is in memory: people served by "
            "different processes will not see each other's messages.",
            hint="Set REDIS_URL, or run a single process and silence this check.",
            id="realtime.W001",
        )
    ]
