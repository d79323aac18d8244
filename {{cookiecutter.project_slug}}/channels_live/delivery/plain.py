"""Consumers and code of Channels itself, whose channel layer is another, or the same."""

from functools import wraps
from typing import Any

from channels.consumer import AsyncConsumer, SyncConsumer

from channels_live.base.budget import Budget
from channels_live.base.messages import TYPE
from channels_live.delivery.sending import EVERYBODY, get_layer
from channels_live.observe.outage import database_outage, is_bug, layer_outage

# How often processes are told of group_send() to the same group, in seconds.
INTERVAL = 60


def ignore_messages() -> None:
    """Have Channels' own consumers ignore what is published to a group of theirs.

    They end where a message has no handler.
    """

    async def ignore(self: AsyncConsumer, message: object) -> None:
        pass

    setattr(AsyncConsumer, TYPE, ignore)
    setattr(SyncConsumer, TYPE, lambda self, message: None)


def complain_of_group_send(layer: Any) -> None:
    """Have processes complain of group_send() to a group that is joined through join().

    It goes through another channel layer, which they do not listen to: so they are sent
    its type as well.
    """
    told = Budget(INTERVAL)
    group_send = layer.group_send

    @wraps(group_send)
    async def call(self: Any, group: str, message: dict[str, Any]) -> None:
        await group_send(self, group, message)
        if self is not get_layer() and told.excess(group, 0) == 1:
            with layer_outage.noticed(group):
                await get_layer().group_send(group, {"type": message["type"]})

    layer.group_send = call


def is_outage(error: Exception) -> bool:
    """Notice the outage that a consumer has failed of, if there is one, and it is no bug."""
    if isinstance(error, database_outage.errors) and not is_bug(error):
        database_outage.begin(error)
        return True
    if getattr(error, "is_of_channel_layer", False):
        layer_outage.begin(error, EVERYBODY)
        return True
    return False
