"""The setting CHANNELS_LIVE: what can be tuned, and how it is tuned by default."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from channels.layers import InMemoryChannelLayer, channel_layers
from django.conf import settings
from django.core import checks

# Name → the default. Another value has to be of the same type, and a number positive.
DEFAULTS: Mapping[str, str | int | bool] = {
    # The alias in CHANNEL_LAYERS of what processes reach each other through.
    "CHANNEL_LAYER": "default",
    # Sockets that one person, or one session, may open per second in each process,
    # and ten times as many by an address without a login; averaged over 10 seconds.
    "SOCKETS_PER_SECOND": 3,
    # Sockets of one person that may be open in each process.
    "SOCKETS_PER_USER": 20,
    # Frames that a socket may send per second, averaged over 5 seconds.
    "FRAMES_PER_SECOND": 20,
    # The largest frame that is read: characters of text, or bytes.
    "FRAME_SIZE": 16 * 1024,
    # The largest body of a request, in bytes, and the longest that it may take to come,
    # in seconds.
    "BODY_SIZE": 2_500_000,
    "BODY_SECONDS": 30,
    # Whether X-Request-ID comes from a proxy in front, and not from a visitor.
    "BEHIND_PROXY": False,
}


def get(name: str) -> Any:
    """Return the value of a key of CHANNELS_LIVE."""
    return getattr(settings, "CHANNELS_LIVE", {}).get(name, DEFAULTS[name])


def problems() -> Iterator[str]:
    """Return a sentence for everything in the setting that means nothing."""
    given = getattr(settings, "CHANNELS_LIVE", {})
    if not isinstance(given, Mapping):
        yield f"expected a dictionary, got {given!r}"
        return
    for name, value in {**DEFAULTS, **given}.items():
        kind = type(DEFAULTS.get(name))
        if name not in DEFAULTS:
            yield f"no key {name!r}; there are {', '.join(DEFAULTS)}"
        elif type(value) is not kind:
            yield f"expected {kind.__name__} for {name!r}, got {value!r}"
        elif isinstance(value, int) and kind is int and value < 1:
            yield f"expected a positive number for {name!r}, got {value}"
        elif name == "CHANNEL_LAYER" and value not in channel_layers.configs:
            yield f"CHANNEL_LAYERS has no {value!r}"


@checks.register(checks.Tags.compatibility)
def check(**kwargs: object) -> Sequence[checks.CheckMessage]:
    """Refuse a wrong setting, and warn of a channel layer that no other process sees."""
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
