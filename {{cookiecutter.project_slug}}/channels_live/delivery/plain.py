"""Consumers and code of Channels itself, whose channel layer is another, or the same."""

from functools import wraps
from typing import Any

from channels.consumer import AsyncConsumer, SyncConsumer
from channels.layers import InMemoryChannelLayer
from channels_redis.core import RedisChannelLayer

from channels_live.base.budget import Budget
from channels_live.base.messages import TYPE
from channels_live.delivery.sending import get_layer
from channels_live.observe.outage import layer_outage

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


def complain_of_group_send() -> None:
    """Have processes complain of group_send() to a group that is joined through join().

    It goes through another channel layer, which they do not listen to: so they are sent
    its type as well.
    """
    told = Budget(INTERVAL)
    layer: Any
    for layer in (InMemoryChannelLayer, RedisChannelLayer):
        layer.group_send = tell(layer.group_send, told)


def tell(group_send: Any, told: Budget) -> Any:
    @wraps(group_send)
    async def call(self: Any, group: str, message: dict[str, Any]) -> None:
        await group_send(self, group, message)
        if self is not get_layer() and told.excess(group, 0) == 1:
            with layer_outage.noticed(group):
                await get_layer().group_send(group, {"type": message["type"]})

    return call


def hand_out_jobs_once() -> None:
    """Have one worker get each message, as Channels promises: django/channels_redis#163.

    Workers put back into the queue what another one has just taken out of it.
    """
    layer: Any = RedisChannelLayer
    pop_with_backup = layer._brpop_with_clean

    async def pop(self: Any, index: int, channel: str, **options: Any) -> Any:
        if channel.endswith("!"):  # one process alone receives from it
            return await pop_with_backup(self, index, channel, **options)
        popped = await self.connection(index).bzpopmin(channel, **options)
        return popped and popped[1]

    layer._brpop_with_clean = pop
