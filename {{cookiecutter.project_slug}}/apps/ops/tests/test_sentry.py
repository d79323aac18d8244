import gzip
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sentry_sdk
from channels.testing import WebsocketCommunicator
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from apps.ops.sentry import Handler, report_errors
from apps.realtime.access import WebSocketLogMiddleware
from apps.users.models import User
from apps.web.views import home

# Not to be found in the code around an error, which is sent.
PRIVATE = "x" * 20


class Sentry(HTTPServer):
    """Takes what Sentry would be sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Intake)
        self.received: list[str] = []

    @property
    def dsn(self) -> str:
        return f"http://key@127.0.0.1:{self.server_port}/1"

    def events(self) -> list[Any]:
        """Return the events that have arrived when all has been sent."""
        sentry_sdk.flush()
        items = [text.splitlines() for text in self.received]
        return [json.loads(lines[2]) for lines in items if '"event"' in lines[1]]


class Intake(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert isinstance(self.server, Sentry)
        self.server.received.append(body.decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    with Sentry() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        report_errors(server.dsn)
        handler = Handler(logging.ERROR)
        logging.getLogger().addHandler(handler)
        yield server
        logging.getLogger().removeHandler(handler)
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)
        server.shutdown()
        thread.join()


def fail(request: HttpRequest, key: str) -> HttpResponse:
    hidden = f"local {request.user}"
    raise RuntimeError("not thought of", len(hidden))


urlpatterns = [path("", home, name="home"), path("fail/<str:key>/", fail)]


@pytest.mark.django_db
@pytest.mark.urls("config.tests.test_sentry")
def test_what_a_view_raises_arrives_without_what_is_private(sentry: Sentry) -> None:
    client = Client(raise_request_exception=False)
    ada = User.objects.create_user("ada")
    client.force_login(ada)

    client.post(f"/fail/{PRIVATE}/?q={PRIVATE}", {"text": PRIVATE})

    (event,) = sentry.events()
    (exception,) = event["exception"]["values"]
    assert exception["type"] == "RuntimeError"
    assert not any("vars" in frame for frame in exception["stacktrace"]["frames"])
    assert event["user"] == {"id": str(ada.pk)}
    assert event["transaction"] == "/fail/<str:key>/"
    assert event["request"] == {"url": "/fail/***/", "method": "POST"}
    for secret in (PRIVATE, client.cookies["sessionid"].value):
        assert secret not in str(sentry.received)


async def test_what_a_consumer_raises_arrives_with_its_route(sentry: Sentry) -> None:
    async def consumer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await receive()
        await receive()
        raise RuntimeError("not thought of")

    application: Any = WebSocketLogMiddleware(consumer)
    socket = WebsocketCommunicator(application, f"/ws/ping/?q={PRIVATE}")
    await socket.connect()
    await socket.send_to(text_data=PRIVATE)
    await socket.wait()

    (event,) = sentry.events()
    assert event["exception"]["values"][0]["type"] == "RuntimeError"
    assert event["transaction"] == event["request"]["url"] == "/ws/ping/"
    assert PRIVATE not in str(sentry.received)


def test_only_errors_are_sent(sentry: Sentry, client: Client) -> None:
    client.get("/", headers={"host": "evil.example"})
    logging.getLogger("harbour").warning("fog")

    assert sentry.events() == []


def test_an_address_that_is_none_is_explained() -> None:
    with pytest.raises(ImproperlyConfigured, match="expected https://key@host/project"):
        report_errors("sentry.example")
