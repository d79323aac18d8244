"""Channels' runworker; it does not start if no job could reach it."""

from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from channels.management.commands import runworker
from django.core.management import CommandError


class Command(runworker.Command):
    def handle(self, *args: object, layer: str, **options: Any) -> None:
        if isinstance(get_channel_layer(layer), InMemoryChannelLayer):
            raise CommandError(
                f"The channel layer {layer!r} is in the memory of each process, so no "
                "jobs of other processes would reach this worker. Set REDIS_URL."
            )
        super().handle(*args, layer=layer, **options)
