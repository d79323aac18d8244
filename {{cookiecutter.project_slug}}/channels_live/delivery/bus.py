"""The channel layer: how processes reach each other."""

import asyncio
import time
from collections.abc import Collection
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer

from channels_live import conf
from channels_live.base.loops import is_server
from channels_live.base.messages import Kind, Message
from channels_live.base.names import check_name
from channels_live.delivery.history import Fragment
from channels_live.observe import metrics
from channels_live.observe.outage import TIMEOUT, layer_outage


def get_layer() -> Any:
    """Return the channel layer that processes reach each other through."""
    return get_channel_layer(conf.get("CHANNEL_LAYER"))


def reaches_nobody() -> bool:
    """Whether no page hears what is sent: this is no server, and there is no Redis."""
    return not is_server.is_set() and isinstance(get_layer(), InMemoryChannelLayer)


async def send(group: str, message: Message) -> bool:
    """Hand a message to the channel layer. Returns whether it was taken."""
    if layer_outage.is_fresh(group):
        return False
    with layer_outage.noticed(group):
        async with asyncio.timeout(TIMEOUT):
            await get_layer().group_send(group, message.encode())
        layer_outage.end(group)
    return not layer_outage.is_fresh(group)


async def send_fragments(group: str, fragments: Collection[Fragment]) -> None:
    """Send fragments to all sockets of a group, in every process."""
    pairs = [(fragment.html, fragment.number) for fragment in fragments]
    metrics.published.inc(len(pairs))
    await send(group, Message(Kind.FRAGMENTS, group, pairs, time.time()))


def as_fragments(group: str, given: Collection[str | Fragment]) -> list[Fragment]:
    """Return what is to be published. Raises ValueError or TypeError."""
    check_name(group)
    fragments = [one if isinstance(one, Fragment) else Fragment(one) for one in given]
    for fragment in fragments:
        if not isinstance(fragment.html, str):
            raise TypeError(
                f"Expected HTML as str, got {type(fragment.html).__name__}: "
                f"{fragment.html!r:.80}. Call str() on a lazy string or a UUID."
            )
        if type(fragment.number) is not int or fragment.number < 0:
            raise TypeError(
                f"Expected a fragment's number as int, got {fragment.number!r}."
            )
    return fragments
