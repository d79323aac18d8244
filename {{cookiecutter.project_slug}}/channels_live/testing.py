"""Helpers for tests of sockets and regions, through the whole ASGI application.

As a pytest plugin (`pytest_plugins = ["channels_live.testing"]`), it isolates tests from
each other.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest
from channels.routing import get_default_application
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.test import Client, TestCase
from django.utils.translation import deactivate

from channels_live.base.messages import FOR_ALL
from channels_live.base.threads import finish_threads
from channels_live.consumers import PING, PONG, JsonConsumer
from channels_live.handshake.tickets import PROTOCOL
from channels_live.live.names import decode, owner
from channels_live.live.pages import show
from channels_live.live.place import Place
from channels_live.live.region import Live
from channels_live.models import Change
from channels_live.process import get_process
from channels_live.runner import (
    check_test,
    close_elsewhere,
    keep_apart,
    separate_layers,
)
from channels_live.utils import websocket_reverse

# The timeout for everything that a test waits for, in seconds.
WAIT = 5


@asynccontextmanager
async def open_socket(
    path: str, user: Any = None, *, ticket: str = ""
) -> AsyncIterator[WebsocketCommunicator]:
    """Open a socket from a page of this site, logged in as `user`.

    Or open it with a ticket, in a subprotocol. Raises AssertionError if it is refused.
    With a user, raises RuntimeError in a test that runs in a transaction.
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
    await socket.send_input({"type": "websocket.connect"})
    answer = await socket.receive_output(WAIT)
    reason = answer.get("reason") or "by the consumer"
    assert answer["type"] == "websocket.accept", f"{path} was refused: {reason}"
    yield socket
    await socket.disconnect(timeout=WAIT)


async def check_sockets() -> None:
    """Close sockets whose login or access has ended, as each process does every 30
    seconds."""
    await get_process().check_sockets()


async def has_entered(socket: WebsocketCommunicator) -> None:
    """Wait until enter() of a Consumer has finished. Fails if there are unread frames."""
    await socket.send_to(PING)
    assert await socket.receive_from(WAIT) in (PONG, JsonConsumer.pong)


@dataclass(eq=False)
class LivePage:
    """A page that shows a region."""

    socket: WebsocketCommunicator
    html: str | None = None  # None: the user may not see it

    async def receive(self) -> dict[str, Any]:
        """Wait for the next event, and return it."""
        (event,) = await self.socket.receive_json_from(WAIT)
        if "html" in event or "gone" in event:
            self.html = event.get("html")
        return cast(dict[str, Any], event)

    async def shows(self, text: str) -> None:
        """Wait until the page shows a text. Raises AssertionError if it does not."""
        while text not in (self.html or ""):
            try:
                await self.receive()
            except TimeoutError:
                raise AssertionError(f"{text!r} is not in {self.html!r}.") from None


@asynccontextmanager
async def open_live(user: Any, region: type[Live], key: Any) -> AsyncIterator[LivePage]:
    """Open a page that shows a region, logged in as `user`.

    Raises RuntimeError in a test that runs in a transaction, because threads read
    regions.
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
    """Return what a page of this user shows of a region, or None."""
    key = region.clean_key(key)
    state = show(region, [key], user or AnonymousUser()).get(key)
    return state and state.html


@contextmanager
def live_changes(using: str = "default") -> Iterator[list[tuple[str, Any]]]:
    """Collect the names and keys of the regions that change within the block.

    The key is None if all keys change. It runs callbacks of on_commit(), which a
    TestCase does not run.
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
    """Isolate tests from servers, and from tests of other processes."""
    keep_apart()


@pytest.fixture(autouse=True)
def nothing_left_behind(
    _django_db_marker: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Update rosters without delay, begin with empty channel layers, and finish threads
    at the end of each test."""
    separate_layers()
    monkeypatch.setattr("channels_live.process.PRESENCE_INTERVAL", 0.02)
    yield
    finish_threads()  # before the database is emptied
    close_elsewhere()
    deactivate()  # a thread keeps the language of a request
