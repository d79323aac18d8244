"""A WebSocket endpoint to try the connection with."""

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from apps.realtime.codes import MESSAGE_TOO_BIG, POLICY_VIOLATION, UNSUPPORTED_DATA
from apps.realtime.frames import FrameBudget


class PingConsumer(AsyncWebsocketConsumer):
    """Send every text frame of up to 100 characters back; no login needed."""

    channel_layer_alias = ""  # none: nothing comes from other sockets
    max_length = 100

    async def connect(self) -> None:
        self.budget = FrameBudget(settings.WEBSOCKET_FRAMES_PER_SECOND)
        await self.accept()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        if not self.budget.spend():
            await self.refuse(POLICY_VIOLATION)
        elif text_data is None:
            await self.refuse(UNSUPPORTED_DATA)
        elif len(text_data) > self.max_length:
            await self.refuse(MESSAGE_TOO_BIG)
        else:
            await self.send(text_data)

    async def refuse(self, code: int) -> None:
        await self.close(code)
        # Frames that are already queued get no answer: the socket is closed.
        raise StopConsumer
