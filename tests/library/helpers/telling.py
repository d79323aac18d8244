"""What processes tell each other, and what another process might."""

import asyncio
from collections.abc import Callable
from typing import Any

from channels_live.base.messages import Kind
from channels_live.delivery.sending import EVERYBODY, get_layer
from channels_live.testing import WAIT


async def overhear(say: Callable[[], None], group: str = EVERYBODY) -> dict[str, Any]:
    """What processes are told when something is said."""
    layer: Any = get_layer()
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    say()
    async with asyncio.timeout(WAIT):
        message: dict[str, Any] = await layer.receive(channel)
        while message["kind"] == Kind.ECHO:  # which asks whether anybody hears
            message = await layer.receive(channel)
    await layer.group_discard(group, channel)
    return message


async def tell_as_another(message: dict[str, Any]) -> None:
    """Tell all processes what one of them was overheard to say, as if by another."""
    layer: Any = get_layer()
    other = {"sender": "another", "published": message["published"] + 1}
    await layer.group_send(EVERYBODY, {**message, **other})
