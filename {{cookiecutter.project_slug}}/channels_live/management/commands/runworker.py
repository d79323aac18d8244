"""Channels' runworker; it does not start if no job could reach it, and outlives outages."""

import asyncio
from collections.abc import Callable
from typing import Any

from channels.layers import InMemoryChannelLayer, get_channel_layer
from channels.management.commands import runworker
from django.core.management import CommandError

from channels_live.observe.outage import RETRY_AFTER, layer_outage


class Command(runworker.Command):
    def handle(self, *args: object, layer: str, **options: Any) -> None:
        used: Any = get_channel_layer(layer)
        if isinstance(used, InMemoryChannelLayer):
            raise CommandError(
                f"The channel layer {layer!r} is in the memory of each process, so no "
                "jobs of other processes would reach this worker. Set REDIS_URL."
            )
        layer_outage.effect = "This worker goes on when it is back."
        used.receive = persistent(used.receive)  # for its consumers, too
        super().handle(*args, layer=layer, **options)


def persistent(receive: Callable[[str], Any]) -> Callable[[str], Any]:
    async def call(channel: str) -> Any:
        while True:
            try:
                return await receive(channel)
            except layer_outage.errors as error:
                layer_outage.begin(error)
            await asyncio.sleep(RETRY_AFTER)

    return call
