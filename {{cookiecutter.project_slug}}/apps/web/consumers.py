"""A WebSocket endpoint to try the connection with."""

from channels.generic.websocket import AsyncWebsocketConsumer


class PingConsumer(AsyncWebsocketConsumer):
    """Send every frame back; no login needed."""

    channel_layer_alias = ""  # none: nothing comes from other sockets

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        await self.send(text_data, bytes_data)
