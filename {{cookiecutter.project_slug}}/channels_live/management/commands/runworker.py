"""Channels' runworker, where the channel layer hands each job to one worker."""

from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from channels.management.commands import runworker
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.core.management import CommandError


class Command(runworker.Command):
    def handle(self, *args: object, layer: str, **options: Any) -> None:
        found = get_channel_layer(layer)
        if isinstance(found, InMemoryChannelLayer):
            raise CommandError(
                f"The channel layer {layer!r} is in the memory of each process: nothing "
                "that is sent elsewhere would reach this worker. Set REDIS_URL."
            )
        if isinstance(found, RedisPubSubChannelLayer):
            raise CommandError(
                f"The channel layer {layer!r} is pub/sub: every worker would do each job, "
                "and without a worker jobs would be lost. Use an alias in CHANNEL_LAYERS "
                "of channels_redis.core.RedisChannelLayer."
            )
        super().handle(*args, layer=layer, **options)
