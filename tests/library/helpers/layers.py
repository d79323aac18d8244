"""Channel layers that fail in one way or another."""

import asyncio
from typing import Any

from channels.layers import InMemoryChannelLayer
from pytest_django import Settings

from channels_live.delivery.sending import EVERYBODY


def use(layer: type[InMemoryChannelLayer], settings: Settings) -> None:
    """Have processes reach each other through a layer of that class."""
    backend = f"{layer.__module__}.{layer.__qualname__}"
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
        "channels_live": {"BACKEND": backend},
    }


class BrokenLayer(InMemoryChannelLayer):
    """Takes nothing."""

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        raise ConnectionError("connection refused")

    group_add = group_send


class HangingLayer(InMemoryChannelLayer):
    """Takes no subscription but those to what all processes are told."""

    async def group_add(self, group: str, channel: str) -> None:
        if group != EVERYBODY:
            await asyncio.sleep(3600)
        await super().group_add(group, channel)


class AwayLayer(BrokenLayer):
    """Has no channel for anybody, until it is back."""

    is_back = False

    async def new_channel(self, prefix: str = "specific.") -> str:
        if not self.is_back:
            raise ConnectionError("connection refused")
        channel: str = await super().new_channel(prefix)
        return channel


class FickleLayer(InMemoryChannelLayer):
    """Fails to send as often as it is told."""

    failures = 0

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if type(self).failures:
            type(self).failures -= 1
            raise ConnectionError("connection refused")
        await super().group_send(group, message)


class ForgetfulLayer(InMemoryChannelLayer):
    """Forgets who is in a group, as Redis does when it is restarted."""

    refuses = False

    def __init__(self) -> None:
        super().__init__()
        self.was_joined = asyncio.Event()

    def forget(self) -> None:
        self.groups.clear()
        self.was_joined.clear()

    async def group_add(self, group: str, channel: str) -> None:
        if self.refuses:
            raise ConnectionError("connection refused")
        await super().group_add(group, channel)
        if group == "here":
            self.was_joined.set()


class DeafLayer(ForgetfulLayer):
    """Takes all and brings nothing, until its connections are opened anew."""

    is_deaf = False

    async def send(self, channel: str, message: dict[str, Any]) -> None:
        if not self.is_deaf:
            await super().send(channel, message)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if not self.is_deaf:
            await super().group_send(group, message)

    async def flush(self) -> None:
        self.is_deaf = False
        await super().flush()


class ScriptedLayer(InMemoryChannelLayer):
    """Has received what it is told to, or raises it."""

    def __init__(self) -> None:
        super().__init__()
        self.scripted: list[Any] = []

    def script(self, message: Any) -> None:
        self.scripted.append(message)

    async def receive(self, channel: str) -> Any:
        if self.scripted:
            message = self.scripted.pop(0)
            if isinstance(message, Exception):
                raise message
            return message
        return await super().receive(channel)
