"""A browser tab: its socket goes through the whole of config.asgi, with a cookie."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from apps.chat.models import Message
from apps.chat.rendering import render_message
from apps.users.models import User
from config.asgi import application

# For how long anything may be on its way, in seconds.
WAIT = 5
# Django's test client speaks to this host.
HOST = b"testserver"
ORIGIN = b"http://testserver"


class Tab:
    def __init__(self, client: Client, path: str) -> None:
        self.client = client
        cookies = "; ".join(
            f"{name}={one.value}" for name, one in client.cookies.items()
        )
        headers = [
            (b"host", HOST),
            (b"origin", ORIGIN),
            (b"cookie", cookies.encode()),
        ]
        self.socket = WebsocketCommunicator(application, path, headers=headers)
        self.frames: list[str] = []

    @classmethod
    async def open(
        cls, user: User | None, slug: str, *, after: int | str | None = None
    ) -> Self:
        """Open the socket of a room's page, as somebody who has just logged in."""
        client = Client()
        if user is not None:
            await client.aforce_login(user)
        return await cls.open_as(client, slug, after=after)

    @classmethod
    async def open_as(
        cls, client: Client, slug: str, *, after: int | str | None = None
    ) -> Self:
        query = "" if after is None else f"?after={after}"
        tab = cls(client, f"/ws/chat/{slug}/{query}")
        assert await tab.socket.connect(WAIT) == (True, None)
        return tab

    @property
    def session_key(self) -> str:
        return self.client.cookies[settings.SESSION_COOKIE_NAME].value

    @property
    def heard(self) -> str:
        return "".join(self.frames)

    async def is_in(self) -> None:
        """Wait until the socket listens: before that it reads no frame."""
        await self.send({})
        await self.hears('role="alert"')

    async def send(self, frame: dict[str, Any]) -> None:
        await self.socket.send_json_to(frame)

    async def say(self, text: str, **more: Any) -> None:
        await self.send({"message": text, **more})

    async def hears(self, text: str) -> None:
        """Wait until a text came. Raises TimeoutError where it never does."""
        async with asyncio.timeout(WAIT):
            while text not in self.heard:
                frame = await self.socket.receive_from(WAIT)
                assert isinstance(frame, str)
                self.frames.append(frame)

    async def shows(self, message: Message) -> None:
        """Wait until a message came, as it is rendered."""
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


@database_sync_to_async
def do(action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Do something that is not for the event loop's thread."""
    return action(*args, **kwargs)
