"""A browser tab in a room. Its socket goes through config.asgi, with a cookie."""

import asyncio
from typing import Self

from channels.testing import WebsocketCommunicator
from django.test import AsyncClient

from apps.chat.models import Message
from apps.chat.rendering import render_message
from apps.users.models import User
from channels_live.testing import WAIT
from config.asgi import application


class Tab:
    """A socket, and the frames that it has received so far."""

    def __init__(self, client: AsyncClient, path: str) -> None:
        self.client = client
        cookies = "; ".join(
            f"{name}={cookie.value}" for name, cookie in client.cookies.items()
        )
        headers = [
            (b"host", b"testserver"),
            (b"origin", b"http://testserver"),
            (b"cookie", cookies.encode()),
        ]
        self.socket = WebsocketCommunicator(application, path, headers=headers)
        self.frames: list[str] = []

    @classmethod
    async def open(
        cls, user: User | None, slug: str, *, after: int | str | None = None
    ) -> Self:
        """Open a room in a new browser, as a user who has just logged in."""
        client = AsyncClient()
        if user is not None:
            await client.aforce_login(user)
        return await cls.open_as(client, slug, after=after)

    @classmethod
    async def open_as(
        cls, client: AsyncClient, slug: str, *, after: int | str | None = None
    ) -> Self:
        """Open a room in a browser that may have a cookie already."""
        query = "" if after is None else f"?after={after}"
        tab = cls(client, f"/ws/chat/{slug}/{query}")
        assert await tab.socket.connect(WAIT) == (True, None)
        return tab

    @property
    def heard(self) -> str:
        return "".join(self.frames)

    async def is_in(self) -> None:
        """Wait until the socket is in the group: before that it reads no frame."""
        await self.send({})
        await self.hears('role="alert"')

    async def send(self, frame: dict[str, object]) -> None:
        await self.socket.send_json_to(frame)

    async def say(self, text: str, **more: object) -> None:
        await self.send({"message": text, **more})

    async def hears(self, text: str) -> None:
        """Wait for a text. Raise TimeoutError if it never arrives."""
        async with asyncio.timeout(WAIT):
            while text not in self.heard:
                frame = await self.socket.receive_from(WAIT)
                assert isinstance(frame, str)
                self.frames.append(frame)

    async def shows(self, message: Message) -> None:
        """Wait for a message, as it is rendered."""
        await self.hears(render_message(message))

    async def code(self, within: float = WAIT) -> int:
        """Wait until the socket is closed, and return the code."""
        async with asyncio.timeout(within):
            while True:
                output = await self.socket.receive_output(within)
                if output["type"] == "websocket.close":
                    code: int = output["code"]
                    return code
                self.frames.append(output["text"])

    async def leave(self) -> None:
        await self.socket.disconnect(timeout=WAIT)
