"""Channels' runworker; it does not start if no job could reach it, and outlives outages."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from channels import worker
from channels.layers import InMemoryChannelLayer, get_channel_layer
from channels.management.commands import runworker
from django.core.management import CommandError

from channels_live.observe.outage import RETRY_AFTER, layer_outage

logger = logging.getLogger(__name__)


class Worker(worker.Worker):
    async def handle(self) -> None:
        """Start the consumers now, so that a channel without one is noticed."""
        for channel in self.channels:
            scope = {"type": "channel", "channel": channel}
            self.get_or_create_application_instance(channel, scope)
        await asyncio.sleep(0)
        for instance in self.application_instances.values():
            try:
                if instance["future"].done():
                    instance["future"].result()
            except ValueError as error:  # of Channels' routers
                raise CommandError(f"config/asgi.py: {error}") from error
        await super().handle()

    async def application_exception(
        self, exception: BaseException, details: dict[str, Any]
    ) -> None:
        channel = details["scope"]["channel"]
        logger.error("A job of %s has failed.", channel, exc_info=exception)


class Command(runworker.Command):
    worker_class = Worker

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
