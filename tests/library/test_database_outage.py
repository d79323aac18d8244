"""What sockets do while the database is away."""

import logging
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import OperationalError
from pytest_django import Settings

from apps.realtime.outage import database_outage
from apps.realtime.routing import WebSocketRouter
from apps.realtime.tests.browsing import application, closing_code
from apps.realtime.tests.listening import WAIT
from apps.realtime.tests.routes import websocket_urlpatterns

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db

router = WebSocketRouter(websocket_urlpatterns)


class SessionStore(DatabaseSessionStore):
    """Of an engine whose database is away; this module is the engine."""

    async def aload(self) -> dict[str, Any]:
        raise OperationalError("the database is away")

    def load(self) -> dict[str, Any]:
        raise OperationalError("the database is away")


async def unauthenticated(scope: Any, receive: Any, send: Any) -> None:
    await router(dict(scope, user=AnonymousUser()), receive, send)


async def test_who_cannot_be_identified_is_refused_and_may_try_again(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SESSION_ENGINE = __name__
    headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={'x' * 32}".encode())]

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            socket = WebsocketCommunicator(application, "/ws/inbox/", headers=headers)
            # Browsers see code 1006, after which they come back.
            assert await socket.connect(WAIT) == (False, 1000)
            await socket.wait()  # raises what the application raised

    assert len(caplog.records) == 1
    assert "The database does not answer" in caplog.text


async def test_who_cannot_be_let_in_is_asked_to_come_back() -> None:
    socket = WebsocketCommunicator(unauthenticated, "/ws/outage/")

    assert await socket.connect(WAIT) == (True, None)

    assert await closing_code(socket) == 1013
    assert database_outage.is_fresh()
    await socket.disconnect()


async def test_a_socket_that_is_open_stays_open() -> None:
    socket = WebsocketCommunicator(unauthenticated, "/ws/outage/?in")
    assert await socket.connect(WAIT) == (True, None)

    await socket.send_json_to({"needs": "the database"})
    await socket.send_json_to({})

    assert await socket.receive_from(WAIT) == "Still here."
    assert database_outage.is_fresh()
    await socket.disconnect()
