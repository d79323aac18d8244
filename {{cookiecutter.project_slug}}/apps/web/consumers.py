"""A WebSocket endpoint to try the connection with."""

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

UNSUPPORTED_DATA = 1003
MESSAGE_TOO_BIG = 1009


class PingConsumer(AsyncWebsocketConsumer):
    """Send every text frame of up to 100 characters back; no login needed."""

    max_length = 100

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        if text_data is None:
            await self.refuse(UNSUPPORTED_DATA)
        elif len(text_data) > self.max_length:
            await self.refuse(MESSAGE_TOO_BIG)
        else:
            await self.send(text_data)

    async def refuse(self, code: int) -> None:
        await self.close(code)
        # Frames that are already queued get no answer: the socket is closed.
        raise StopConsumer
