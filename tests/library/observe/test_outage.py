"""What sockets do while the database is away."""

import logging
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.db import OperationalError
from pytest_django import Settings

from channels_live.observe.outage import database_outage
from channels_live.testing import WAIT
from tests.library.helpers.browsing import closing_code, connect, socket_of

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db


class SessionStore(DatabaseSessionStore):
    """Of an engine whose database is away; this module is the engine."""

    async def aload(self) -> dict[str, Any]:
        raise OperationalError("the database is away")

    def load(self) -> dict[str, Any]:
        raise OperationalError("the database is away")


async def test_who_cannot_be_identified_is_refused_and_may_try_again(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SESSION_ENGINE = __name__
    cookie = f"{settings.SESSION_COOKIE_NAME}={'x' * 32}"

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            socket = socket_of("/ws/inbox/", cookie=cookie)
            # Browsers see code 1006, after which they come back.
            assert await socket.connect(WAIT) == (False, 1000)
            await socket.wait()  # raises what the application raised

    assert len(caplog.records) == 1
    assert "The database cannot be used" in caplog.text


async def test_who_cannot_be_let_in_is_asked_to_come_back() -> None:
    socket = await connect("/ws/outage/")

    assert await closing_code(socket) == 1013
    assert database_outage.is_fresh()
    await socket.disconnect()


async def test_a_socket_that_is_open_stays_open() -> None:
    socket = await connect("/ws/outage/?in")

    await socket.send_json_to({"needs": "the database"})
    await socket.send_json_to({})

    assert await socket.receive_from(WAIT) == "Still here."
    assert database_outage.is_fresh()
    await socket.disconnect()
