"""What pages are told over HTTP, where their browser hides why a socket is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError

from channels_live import Refused, websocket_application
from channels_live.handshake.application import WINDOW
from channels_live.process import get_process
from tests.library.helpers.browsing import only, why

pytestmark = pytest.mark.django_db(transaction=True)

COOKIE = f"{settings.SESSION_COOKIE_NAME}=key-of-nobody"


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("Whoever asks why gets no further.")


async def test_a_page_that_may_come_in_is_told_nothing() -> None:
    assert await why(only(nowhere)) == ""
    elsewhere = {"x_socket_origin": "http://elsewhere"}
    assert await why(only(nowhere), **elsewhere) == "another origin"
    assert await why(websocket_application([])) == "unknown path"


async def test_too_many_sockets(tune: Callable[..., None]) -> None:
    tune(SOCKETS_PER_SECOND=1)
    application = only(nowhere)
    for _ in range(WINDOW):
        assert await why(application, cookie=COOKIE) == ""
    assert await why(application, cookie=COOKIE) == "too many sockets"


async def test_the_process_is_ending() -> None:
    get_process().is_ending = True

    assert await why(only(nowhere)) == "the process is shutting down"


async def test_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(session: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(get_process().logins, "get", get)

    assert await why(only(nowhere), cookie=COOKIE) == "the database is away"


async def test_the_login_is_refused() -> None:
    async def login(request: Any, scope: Any) -> None:
        raise Refused(4403)

    assert await why(only(nowhere, authenticate=login)) == "close code 4403"
