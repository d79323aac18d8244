import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from channels_live import LogContext
from channels_live.testing import WAIT
from tests.library.helpers.browsing import (
    browser_of,
    closing_code,
    connect,
    key_of,
    only,
    socket_of,
)
from tests.library.helpers.consumers import ShoutConsumer

STAY = 0.02  # seconds that a socket stays open, far more than the log rounds away

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def access_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "access.websocket"):
        yield


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(one) for one in caplog.records if one.name == "access.websocket"]


@pytest.mark.django_db(transaction=True)
async def test_opening_and_closing_are_logged(
    ada: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = await browser_of(ada)
    socket = await connect("/ws/shout/?after=7&secret=x", client)
    await socket.send_json_to({"text": "good morning"})
    assert await socket.receive_from(WAIT) == "GOOD MORNING"
    await asyncio.sleep(STAY)
    await socket.disconnect(code=1001)

    opened, closed = events(caplog)
    assert opened["event"] == "open"
    assert (closed["event"], closed["code"], closed["closed_by"]) == (
        *("close", 1001, "client"),
    )
    assert STAY <= closed["duration"] < WAIT
    said = caplog.text + str([opened, closed])
    for secret in ("secret", "after=", "morning", key_of(client)):
        assert secret.lower() not in said.lower()


@pytest.mark.django_db(transaction=True)
async def test_lines_say_whose_socket_it_is(ada: Any, settings: Settings) -> None:
    found: list[dict[str, Any]] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            context = LogContext.current.get()
            assert context
            found.append(context.fields())

    ear = Ear()
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    logging.getLogger("access.websocket").addHandler(ear)
    try:
        client = await browser_of(ada)
        socket = await connect("/ws/shout/?x", client, x_request_id="abc-123")
        await socket.disconnect()
    finally:
        logging.getLogger("access.websocket").removeHandler(ear)

    expected = {"path": "/ws/shout/", "user": str(ada.pk), "request_id": "abc-123"}
    assert [fields.items() >= expected.items() for fields in found] == [True, True]


async def test_the_code_is_the_servers_where_the_server_closes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    socket = await connect("/ws/closed/")
    assert await closing_code(socket) == 4403
    await socket.disconnect()

    closed = events(caplog)[-1]
    assert (closed["code"], closed["closed_by"]) == (4403, "server")


@pytest.mark.parametrize(
    ("path", "origin", "reason"),
    [
        ("/ws/nowhere/?x", "http://testserver", "unknown path"),
        ("/ws/plain/?x", "http://evil.example", "another origin"),
        ("/ws/plain/?x", "", "no origin"),
    ],
)
async def test_a_refusal_has_a_reason_and_is_no_error(
    caplog: pytest.LogCaptureFixture, path: str, origin: str, reason: str
) -> None:
    socket = socket_of(path, origin=origin)
    assert await socket.connect(WAIT) == (False, 1000)
    await socket.wait()

    (refused,) = events(caplog)
    assert (refused["event"], refused["reason"]) == ("refuse", reason)
    assert refused["levelno"] == logging.INFO
    assert "?" not in caplog.text


@pytest.mark.parametrize("path", ["/ws/failing/", "/ws/failing/?late"])
async def test_what_a_consumer_raises_is_logged_once_and_closes_the_socket(
    caplog: pytest.LogCaptureFixture, path: str
) -> None:
    socket = await connect(path)
    if "late" in path:
        await socket.send_json_to({})
    assert await closing_code(socket) == 1011
    await socket.wait()  # raises nothing

    (failure,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert failure.exc_info
    assert events(caplog)[-1]["code"] == 1011


async def test_fan_out_goes_around_the_log() -> None:
    async def send(message: Any) -> None:
        pass

    consumer = ShoutConsumer()

    async def receive() -> Any:
        return {"type": "websocket.disconnect", "code": 1001}

    await only(consumer)(socket_of("/").scope, receive, send)

    assert consumer.socket.outbox.send == send


async def test_a_socket_that_is_gone_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello?"})

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            raise OSError("gone")  # as uvicorn does

    await only(talk)(socket_of("/").scope, None, send)

    assert events(caplog)[-1]["code"] == 1006
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
