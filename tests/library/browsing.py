"""Sockets of people who are logged in, through the middleware that finds out who."""

from typing import Any

from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from apps.realtime.middleware import AuthMiddleware
from apps.realtime.routing import WebSocketRouter
from apps.realtime.tests.listening import WAIT
from apps.realtime.tests.routes import websocket_urlpatterns

application = AuthMiddleware(WebSocketRouter(websocket_urlpatterns))


async def browser_of(user: Any) -> Client:
    """A browser in which somebody has just logged in."""
    client = Client()
    await client.aforce_login(user)
    return client


async def open_inbox(client: Client) -> WebsocketCommunicator:
    """Open a socket that listens to what is for its user, and wait until it does."""
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = f"{settings.SESSION_COOKIE_NAME}={key}".encode()
    socket = WebsocketCommunicator(
        application, "/ws/inbox/", headers=[(b"cookie", cookie)]
    )
    assert await socket.connect(WAIT) == (True, None)
    assert await answers(socket)
    return socket


async def answers(socket: WebsocketCommunicator) -> bool:
    """Whether a socket is open and listened to."""
    await socket.send_json_to({})
    return await socket.receive_from(WAIT) == "You are in."


async def closing_code(socket: WebsocketCommunicator, within: float = WAIT) -> int:
    """Wait until a socket is closed. Raises TimeoutError where it is not."""
    message = await socket.receive_output(within)
    assert message["type"] == "websocket.close", message
    code: int = message["code"]
    return code
