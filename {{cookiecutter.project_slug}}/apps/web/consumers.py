"""A WebSocket endpoint to try the connection with."""

from channels.generic.websocket import AsyncWebsocketConsumer

from channels_live import CloseCode


class PingConsumer(AsyncWebsocketConsumer):
    """Send every text frame of up to 100 characters back; no login needed."""

    channel_layer_alias = ""  # none: nothing comes from other sockets
    max_length = 100

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        if text_data is None:
            await self.close(CloseCode.UNSUPPORTED_DATA)
        elif len(text_data) > self.max_length:
            await self.close(CloseCode.MESSAGE_TOO_BIG)
        else:
            await self.send(text_data)
