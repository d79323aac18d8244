"""Sockets for tests: they go through the whole ASGI application.

As a plugin of pytest (`pytest_plugins = ["channels_live.testing"]`), it keeps tests out
of each other's way.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import pytest
from channels.db import aclose_old_connections
from channels.layers import channel_layers
from channels.routing import get_default_application
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.test import Client
from django.utils.translation import deactivate

from channels_live.consumers import PING, PONG
from channels_live.process import get_process

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
        name = django_settings.SESSION_COOKIE_NAME
        headers.append((b"cookie", f"{name}={client.cookies[name].value}".encode()))
    application = get_default_application()
    socket = WebsocketCommunicator(application, path, headers=headers)
    assert await socket.connect(WAIT) == (True, None)
    yield socket
    await socket.disconnect(timeout=WAIT)


async def check_sockets() -> None:
    """Have sockets closed whose login or right has ended, as each process does now and
    then, in case it was not told."""
    await get_process().check_sockets()


async def has_entered(socket: WebsocketCommunicator) -> None:
    """Wait until a Consumer has let the socket in, and nothing else was sent."""
    await socket.send_to(PING)
    assert await socket.receive_from(WAIT) == PONG


@pytest.fixture(autouse=True, scope="session")
def groups_of_their_own() -> None:
    """Nothing reaches a server that uses the same Redis, or comes from there."""
    layers = cast(dict[str, Any], django_settings.CHANNEL_LAYERS)
    for layer in layers.values():
        if "prefix" in layer.get("CONFIG", {}):
            layer["CONFIG"]["prefix"] = f"test-{uuid4()}"


@pytest.fixture(autouse=True)
def nothing_left_behind(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Tests open more sockets than one person would, and wait for nobody to show."""
    tuned = getattr(settings, "CHANNELS_LIVE", {})
    settings.CHANNELS_LIVE = {**tuned, "SOCKETS_PER_SECOND": 1000}
    monkeypatch.setattr("channels_live.process.PRESENCE_INTERVAL", 0.02)
    yield
    # A channel layer belongs to an event loop, and each test has a new one; a thread
    # keeps the language of a request.
    channel_layers.backends.clear()
    deactivate()


@pytest.fixture(autouse=True)
async def threads_without_connections() -> AsyncIterator[None]:
    """Async queries run in a thread, whose connection would outlive the database."""
    yield
    await aclose_old_connections()
