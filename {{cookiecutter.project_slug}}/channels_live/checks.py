"""System checks, run by every manage.py command."""

from collections.abc import Sequence

from channels.layers import InMemoryChannelLayer, channel_layers
from django.conf import settings
from django.core import checks

from channels_live import conf


@checks.register(checks.Tags.compatibility)
def check_settings(**kwargs: object) -> Sequence[checks.CheckMessage]:
    """Refuse keys of CHANNELS_LIVE that do not exist, and values of a wrong type."""
    found = conf.problems(getattr(settings, "CHANNELS_LIVE", {}))
    if not found and conf.get("CHANNEL_LAYER") not in channel_layers.configs:
        alias = conf.get("CHANNEL_LAYER")
        found = [f'CHANNELS_LIVE["CHANNEL_LAYER"]: CHANNEL_LAYERS has no {alias!r}.']
    return [checks.Error(problem, id="channels_live.E001") for problem in found]


@checks.register(checks.Tags.compatibility)
def check_channel_layer(**kwargs: object) -> Sequence[checks.CheckMessage]:
    """Warn where production runs on a channel layer that no other process sees."""
    if settings.DEBUG or check_settings():
        return []
    layer = channel_layers[conf.get("CHANNEL_LAYER")]
    if not isinstance(layer, InMemoryChannelLayer):
        return []
    return [
        checks.Warning(
            "DEBUG is false and the channel layer is in memory: people served by "
            "different processes will not see each other's messages.",
            hint="Set REDIS_URL, or run a single process and silence this check.",
            id="channels_live.W001",
        )
    ]
