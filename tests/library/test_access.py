import logging
from collections.abc import Iterator
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings as project
from django.test import Client
from pytest_django import Settings

from apps.realtime.access import WebSocketLogMiddleware
from apps.realtime.log_context import current
from apps.realtime.middleware import OriginMiddleware
from apps.realtime.tests.browsing import application, browser_of, closing_code
from apps.realtime.tests.listening import WAIT
from apps.realtime.tests.routes import ShoutConsumer

logged: Any = WebSocketLogMiddleware(application)

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def access_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "access.websocket"):
        yield


def socket_of(client: Client | None, path: str, **headers: str) -> Any:
    if client:
        name = project.SESSION_COOKIE_NAME
        headers["cookie"] = f"{name}={client.cookies[name].value}"
    pairs = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return WebsocketCommunicator(logged, path, headers=pairs)


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(one) for one in caplog.records if one.name == "access.websocket"]


@pytest.mark.django_db(transaction=True)
async def test_opening_and_closing_are_logged(
    ada: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = await browser_of(ada)
    socket = socket_of(client, "/ws/shout/?after=7&secret=x")
    assert await socket.connect(WAIT) == (True, None)
    await socket.send_json_to({"text": "good morning"})
    assert await socket.receive_from(WAIT) == "GOOD MORNING"
    await socket.disconnect(code=1001)

    opened, closed = events(caplog)
    assert opened["event"] == "open"
    assert (closed["event"], closed["code"], closed["closed_by"]) == (
        *("close", 1001, "client"),
    )
    assert 0 < closed["duration"] < WAIT
    said = caplog.text + str([opened, closed])
    key = client.cookies[project.SESSION_COOKIE_NAME].value
    for secret in ("secret", "after=", "morning", key):
        assert secret.lower() not in said.lower()


@pytest.mark.django_db(transaction=True)
async def test_lines_say_whose_socket_it_is(ada: Any, settings: Settings) -> None:
    found: list[dict[str, Any]] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            context = current.get()
            assert context
            found.append(context.fields())

    ear = Ear()
    settings.BEHIND_PROXY = True
    logging.getLogger("access.websocket").addHandler(ear)
    try:
        client = await browser_of(ada)
        socket = socket_of(client, "/ws/shout/?x", x_request_id="abc-123")
        await socket.connect(WAIT)
        await socket.disconnect()
    finally:
        logging.getLogger("access.websocket").removeHandler(ear)

    expected = {"path": "/ws/shout/", "user": str(ada.pk), "request_id": "abc-123"}
    assert [fields.items() >= expected.items() for fields in found] == [True, True]


async def test_the_code_is_the_servers_where_the_server_closes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    socket = socket_of(None, "/ws/closed/")
    await socket.connect(WAIT)
    assert await closing_code(socket) == 4403
    await socket.disconnect()

    closed = events(caplog)[-1]
    assert (closed["code"], closed["closed_by"]) == (4403, "server")


@pytest.mark.parametrize(
    ("path", "middleware", "reason"),
    [
        ("/ws/nowhere/?x", application, "unknown path"),
        ("/ws/plain/?x", OriginMiddleware(application), "another origin"),
    ],
)
async def test_a_refusal_has_a_reason_and_is_no_error(
    caplog: pytest.LogCaptureFixture, path: str, middleware: Any, reason: str
) -> None:
    app: Any = WebSocketLogMiddleware(middleware)
    socket = WebsocketCommunicator(app, path)
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
    socket = socket_of(None, path)
    assert await socket.connect(WAIT) == (True, None)
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

    scope: Any = {"type": "websocket", "path": "/", "headers": [], "client": None}
    await WebSocketLogMiddleware(consumer)(scope, receive, send)

    assert consumer.outbox.send == send


async def test_a_socket_that_is_gone_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def talk(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello?"})

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            raise OSError("gone")  # as uvicorn does

    scope: Any = {"type": "websocket", "path": "/", "headers": [], "client": None}
    await WebSocketLogMiddleware(talk)(scope, None, send)

    assert events(caplog)[-1]["code"] == 1006
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
