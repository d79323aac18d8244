"""Push rendered fragments into every page that listens to a group."""

import asyncio
import time
from collections.abc import Collection
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings

from apps.realtime.background import start
from apps.realtime.counts import counts
from apps.realtime.history import Fragment
from apps.realtime.names import check_name
from apps.realtime.outage import TIMEOUT, layer_outage


async def apublish(group: str, html: str, *, number: int = 0) -> None:
    """Send `html` to all sockets of a group, in every process.

    Call it after the commit of what it tells. `number` is the fragment's place in the
    group's history, if it has one: then it arrives even where the channel layer fails.
    A channel layer that is away is logged, once, and raises nothing.
    """
    await apublish_all(group, [Fragment(html, number)])


async def apublish_all(group: str, fragments: Collection[Fragment]) -> None:
    """Send several fragments to a group at once; see apublish()."""
    check_name(group)
    counts.published += len(fragments)
    pairs = [(fragment.html, fragment.number) for fragment in fragments]
    message: dict[str, Any] = {"type": "fragments", "group": group, "pairs": pairs}
    if settings.METRICS_TOKEN:
        message["published"] = time.time()
    await send_to_group(group, message)


def publish(group: str, html: str, *, number: int = 0) -> None:
    """Do what apublish() does, from any code.

    Waits for nothing but where no event loop is to do it, as in a command.
    """
    publish_all(group, [Fragment(html, number)])


def publish_all(group: str, fragments: Collection[Fragment]) -> None:
    """Do what apublish_all() does, from any code; see publish()."""
    check_name(group)  # here, where the caller hears of it
    start(apublish_all(group, fragments))


def user_group(user_id: int) -> str:
    """The group of one person's sockets, for consumers that join it."""
    return f"user.{user_id}"


async def send_to_group(group: str, message: dict[str, Any]) -> bool:
    """Hand a message to the channel layer. Returns whether it was taken."""
    layer: Any = get_channel_layer()
    if layer_outage.is_fresh(group):
        return False
    try:
        async with asyncio.timeout(TIMEOUT):
            await layer.group_send(group, message)
    except Exception as error:  # each layer has its own
        layer_outage.begin(error, group)
        return False
    layer_outage.end(group)
    return True
