"""Sockets as browsers open them, through all that is in front of a consumer."""

import json
from typing import Any

from channels.routing import get_default_application
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from django.urls import re_path

from channels_live import explain_refusals, websocket_application
from channels_live.testing import WAIT

HERE = {"host": "testserver", "origin": "http://testserver"}


def only(endpoint: Any, **options: Any) -> Any:
    """An application with nothing but this endpoint, at every path."""
    return websocket_application([re_path("", endpoint)], **options)


async def browser_of(user: Any) -> Client:
    """A browser in which somebody has just logged in."""
    client = Client()
    await client.aforce_login(user)
    return client


def key_of(client: Client) -> str:
    """The key of a browser's session."""
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def socket_of(
    path: str, client: Client | None = None, *, application: Any = None, **headers: str
) -> WebsocketCommunicator:
    """A socket of a page of this site, which is still to be opened.

    It has the headers that are not empty.
    """
    headers = HERE | headers
    if client:
        headers["cookie"] = f"{settings.SESSION_COOKIE_NAME}={key_of(client)}"
    pairs = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, value in headers.items()
        if value
    ]
    application = application or get_default_application()
    return WebsocketCommunicator(application, path, headers=pairs)


async def connect(
    path: str, client: Client | None = None, *, application: Any = None, **headers: str
) -> WebsocketCommunicator:
    """Open a socket, in a browser of nobody's or in somebody's."""
    socket = socket_of(path, client, application=application, **headers)
    assert await socket.connect(WAIT) == (True, None)
    return socket


async def why(application: Any, **headers: str) -> str:
    """Ask over HTTP why a socket is refused, as pages do. Empty: it is not."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {"origin": "", "x_socket_origin": HERE["origin"], **headers}
    scope: Any = socket_of("/", None, application=application, **headers).scope
    http: Any = explain_refusals(application, None)
    await http({**scope, "type": "http"}, None, send)
    reason: str = json.loads(sent[-1]["body"])["reason"]
    return reason


async def open_inbox(client: Client) -> WebsocketCommunicator:
    """Open a socket that listens to what is for its user, and wait until it does."""
    socket = await connect("/ws/inbox/", client)
    assert await answers(socket)
    return socket


async def answers(socket: WebsocketCommunicator) -> bool:
    """Whether a socket is open and listened to."""
    await socket.send_json_to({})
    said: str = await socket.receive_from(WAIT)
    return said == "You are in."


async def closing_code(socket: WebsocketCommunicator, within: float = WAIT) -> int:
    """Wait until a socket is closed. Raises TimeoutError where it is not."""
    message = await socket.receive_output(within)
    assert message["type"] == "websocket.close", message
    code: int = message["code"]
    return code
