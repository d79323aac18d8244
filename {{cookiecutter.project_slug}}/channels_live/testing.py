"""Sockets for tests: they go through the whole ASGI application.

As a plugin of pytest (`pytest_plugins = ["channels_live.testing"]`), it keeps tests out
of each other's way.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, cast

import pytest
from channels.db import aclose_old_connections
from channels.layers import channel_layers
from channels.routing import get_default_application
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.test import Client, TestCase
from django.utils.translation import deactivate

from channels_live.base.messages import FOR_ALL
from channels_live.base.work import finish_threads
from channels_live.consumers import PING, PONG, JsonConsumer
from channels_live.handshake.tickets import PROTOCOL
from channels_live.live.names import decode, owner
from channels_live.live.place import Place
from channels_live.live.region import Live
from channels_live.live.rendering import show
from channels_live.models import Change
from channels_live.process import get_process
from channels_live.runner import check_test, close_elsewhere, keep_apart
from channels_live.utils import websocket_reverse

# For how long anything may be on its way, in seconds.
WAIT = 5


@asynccontextmanager
async def open_socket(
    path: str, user: Any = None, *, ticket: str = ""
) -> AsyncIterator[WebsocketCommunicator]:
    """Open a socket from a page of this site, in a browser where `user` has logged in.

    Or one with a ticket, in a subprotocol.
    With a user, raises RuntimeError in a test whose database is in a transaction.
    """
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
    if user:
        check_test()
        client = Client()
        await client.aforce_login(user)
        name = django_settings.SESSION_COOKIE_NAME
        headers.append((b"cookie", f"{name}={client.cookies[name].value}".encode()))
    application = get_default_application()
    offered = [PROTOCOL, ticket] if ticket else []
    socket = WebsocketCommunicator(application, path, headers, offered)
    assert (await socket.connect(WAIT))[0]
    yield socket
    await socket.disconnect(timeout=WAIT)


async def check_sockets() -> None:
    """Have sockets closed whose login or right has ended, as each process does now and
    then, in case it was not told."""
    await get_process().check_sockets()


async def has_entered(socket: WebsocketCommunicator) -> None:
    """Wait until a Consumer has let the socket in, and nothing else was sent."""
    await socket.send_to(PING)
    assert await socket.receive_from(WAIT) in (PONG, JsonConsumer.pong)


class LivePage:
    """What a page shows of a region."""

    def __init__(self, socket: WebsocketCommunicator) -> None:
        self.socket = socket
        self.html: str | None = None  # None: nothing, for it may not be seen

    async def receive(self) -> dict[str, Any]:
        """Wait for the next event, and return it."""
        (event,) = await self.socket.receive_json_from(WAIT)
        if "html" in event or "gone" in event:
            self.html = event.get("html")
        return cast(dict[str, Any], event)

    async def shows(self, text: str) -> None:
        """Wait until a text is shown. Raises TimeoutError where it never is."""
        while text not in (self.html or ""):
            await self.receive()


@asynccontextmanager
async def open_live(user: Any, region: type[Live], key: Any) -> AsyncIterator[LivePage]:
    """Open a page that shows a region, in a browser where `user` has logged in.

    Raises RuntimeError in a test whose database is in a transaction, for regions are
    read in threads.
    """
    check_test()
    place = Place.of_page(region, key)
    async with open_socket(websocket_reverse("ws_live"), user) as socket:
        await has_entered(socket)
        name = place.sign(owner(user or AnonymousUser(), None))
        await socket.send_json_to({"watch": [[name, ""]]})
        page = LivePage(socket)
        await page.receive()
        yield page


def render_live(user: Any, region: type[Live], key: Any) -> str | None:
    """Return what a page of this user shows of a region; None: nothing."""
    state = show(region, region.clean_key(key), user or AnonymousUser())
    return state and state.html


@contextmanager
def live_changes(using: str = "default") -> Iterator[list[tuple[str, Any]]]:
    """Collect the regions, by name, and keys that are changed within the block.

    The key is None where all are. It runs what waits for the commit, which in a
    TestCase never comes.
    """
    changes: list[tuple[str, Any]] = []
    rows = Change.objects.using(using).order_by("pk")
    last = rows.last()
    # The setting up of a TestCase has not committed either.
    vars(connections[using]).pop("live_notices", None)
    with TestCase.captureOnCommitCallbacks(using=using, execute=True):
        yield changes
    new = rows.filter(pk__gt=last.pk if last else 0)
    for row in new.exclude(subject__startswith=FOR_ALL):
        name, _, text = row.subject.partition(" ")
        changes.append((name, decode(json.loads(text)) if text else None))


@pytest.fixture(autouse=True, scope="session")
def apart_from_others() -> None:
    """Nothing reaches a server, or a test that runs beside this one."""
    keep_apart()


@pytest.fixture(autouse=True)
def nothing_left_behind(
    _django_db_marker: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Tests wait for nobody to show, and leave nothing under way in threads."""
    monkeypatch.setattr("channels_live.process.PRESENCE_INTERVAL", 0.02)
    yield
    finish_threads()  # before the database is emptied
    close_elsewhere()
    # A channel layer belongs to an event loop, and each test has a new one; a thread
    # keeps the language of a request.
    channel_layers.backends.clear()
    deactivate()


@pytest.fixture(autouse=True)
async def threads_without_connections() -> AsyncIterator[None]:
    """Async queries run in a thread, whose connection would outlive the database."""
    yield
    await aclose_old_connections()
