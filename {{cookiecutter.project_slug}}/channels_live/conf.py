"""The setting CHANNELS_LIVE: its keys, their defaults and its system check."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from channels.layers import InMemoryChannelLayer, channel_layers
from django.conf import settings
from django.core import checks

# README.md says what they are for. Other values must have the same type; numbers must be
# positive.
DEFAULTS: Mapping[str, str | int] = {
    "CHANNEL_LAYER": "default",
    "SOCKETS_PER_SECOND": 3,
    "SOCKETS_PER_USER": 20,
    "FRAMES_PER_SECOND": 20,
    "FRAME_SIZE": 16 * 1024,
    "BODY_SIZE": 2_500_000,
    "BODY_SECONDS": 30,
}


def get(name: str) -> Any:
    """Return the value of a key of CHANNELS_LIVE."""
    return getattr(settings, "CHANNELS_LIVE", {}).get(name, DEFAULTS[name])


def problems() -> Iterator[str]:
    """Yield a sentence for each problem in the setting."""
    given = getattr(settings, "CHANNELS_LIVE", {})
    if not isinstance(given, Mapping):
        yield f"expected a dictionary, got {given!r}"
        return
    for name, value in {**DEFAULTS, **given}.items():
        kind = type(DEFAULTS.get(name))
        if name not in DEFAULTS:
            yield f"unknown key {name!r}; the keys are {', '.join(DEFAULTS)}"
        elif type(value) is not kind:
            yield f"expected {kind.__name__} for {name!r}, got {value!r}"
        elif isinstance(value, int) and value < 1:
            yield f"expected a positive number for {name!r}, got {value}"
        elif name == "CHANNEL_LAYER" and value not in channel_layers.configs:
            yield f"CHANNEL_LAYERS has no {value!r}"


@checks.register(checks.Tags.compatibility)
def check(**kwargs: object) -> Sequence[checks.CheckMessage]:
    """Report an invalid setting; warn of a channel layer that processes do not share."""
    if found := list(problems()):
        return [
            checks.Error(f"CHANNELS_LIVE: {problem}.", id="channels_live.E001")
            for problem in found
        ]
    layer = channel_layers[get("CHANNEL_LAYER")]
    if settings.DEBUG or not isinstance(layer, InMemoryChannelLayer):
        return []
    return [
        checks.Warning(
            "DEBUG is false and the channel layer is in memory: people served by "
            "different processes will not see each other's messages.",
            hint="Set REDIS_URL, or run a single process and silence this check.",
            id="channels_live.W001",
        )
    ]
