"""What the channel layers of channels-redis leave undone."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial, wraps
from typing import Any

from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisSingleShardConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from channels_live.base.batch import Batch
from channels_live.delivery import plain
from channels_live.observe import outage


def install() -> None:
    """Have them do it. Without Redis, they are not even loaded, which takes time."""
    outage.layer_outage.errors += (RedisError,)
    outage.layer_outage.source = "REDIS_URL: "
    plain.complain_of_group_send(RedisChannelLayer)
    hand_out_jobs_once()
    replace_lost_connections()
    mark_errors()
    publish_together()


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
        outage.layer_outage.end()  # for this worker
        return popped and popped[1]

    layer._brpop_with_clean = pop


def replace_lost_connections() -> None:
    """Try a connection of before an outage again: otherwise each fails once more."""
    layer: Any = RedisChannelLayer
    create_pool = layer.create_pool

    def create(self: Any, index: int) -> Any:
        pool = create_pool(self, index)
        pool.connection_kwargs.setdefault("retry", Retry(NoBackoff(), 1))
        return pool

    layer.create_pool = create


def mark_errors() -> None:
    """Tell them from those of other connections to Redis, which a consumer may have."""
    for name in ("receive", "send", "group_add", "group_discard", "group_send"):
        setattr(RedisChannelLayer, name, marking(getattr(RedisChannelLayer, name)))


def marking(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    async def call(*args: Any, **options: Any) -> Any:
        try:
            return await method(*args, **options)
        except (RedisError, OSError) as error:
            vars(error)["is_of_channel_layer"] = True
            raise

    return call


def publish_together() -> None:
    """Have what is published in the same moment share a round trip to Redis."""
    shard: Any = RedisSingleShardConnection

    async def publish(self: Any, channel: str, message: bytes) -> None:
        if not hasattr(self, "publishing"):
            self.publishing = Batch(partial(publish_all, self))
        await self.publishing.get((channel, message))

    shard.publish = publish


async def publish_all(
    shard: Any, messages: Collection[tuple[str, bytes]]
) -> Mapping[tuple[str, bytes], None]:
    # Of its own: whoever waits for it may give up, and it must not go on for ever.
    async with asyncio.timeout(outage.TIMEOUT), shard._lock:
        shard._ensure_redis()
        async with shard._redis.pipeline(transaction=False) as pipeline:
            for message in messages:
                pipeline.publish(*message)
            await pipeline.execute()
    return {}
