"""Sockets for tests: they go through the whole ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from channels.routing import get_default_application
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from apps.realtime.consumers import PING, PONG

# For how long anything may be on its way, in seconds.
WAIT = 5


@asynccontextmanager
async def open_socket(
    path: str, user: Any = None
) -> AsyncIterator[WebsocketCommunicator]:
    """Open a socket from a page of this site, in a browser where `user` has logged in."""
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    if user:
        client = Client()
        await client.aforce_login(user)
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={key}".encode()))
    application = get_default_application()
    socket = WebsocketCommunicator(application, path, headers=headers)
    assert await socket.connect(WAIT) == (True, None)
    yield socket
    await socket.disconnect(timeout=WAIT)


async def has_entered(socket: WebsocketCommunicator) -> None:
    """Wait until a RealtimeConsumer has let the socket in, and nothing else was sent."""
    await socket.send_to(PING)
    assert await socket.receive_from(WAIT) == PONG
