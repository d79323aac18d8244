"""Consumers of Channels itself, as its tutorial has them.

Each is in the group "here", answers a text with itself, and passes on to its page what
is sent to the group with group_send(). One logs people in and out.
"""

from typing import Any

from asgiref.sync import async_to_sync
from channels.generic.websocket import (
    AsyncJsonWebsocketConsumer,
    AsyncWebsocketConsumer,
    WebsocketConsumer,
)

from tests.library.helpers.consumers import obey

GROUP = "here"


class AsyncConsumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive(self, text_data: str = "", bytes_data: bytes = b"") -> None:
        await self.send(text_data=text_data)

    async def say(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


class SyncConsumer(WebsocketConsumer):
    def connect(self) -> None:
        async_to_sync(self.channel_layer.group_add)(GROUP, self.channel_name)
        self.accept()

    def disconnect(self, code: int) -> None:
        async_to_sync(self.channel_layer.group_discard)(GROUP, self.channel_name)

    def receive(self, text_data: str = "", bytes_data: bytes = b"") -> None:
        self.send(text_data=text_data)

    def say(self, event: dict[str, Any]) -> None:
        self.send(text_data=event["text"])


class JsonConsumer(AsyncJsonWebsocketConsumer):
    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if isinstance(content, dict):
            content = await obey(self.scope, content)
        await self.send_json(content)

    async def say(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])
