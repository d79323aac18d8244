import gzip
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sentry_sdk
from channels.routing import get_default_application
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from apps.ops.sentry import report_errors
from apps.users.models import User
from apps.web.consumers import PingConsumer
from channels_live.testing import open_socket

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
        get_default_application()  # or it would configure the log while a test runs
        handler = report_errors(server.dsn)
        yield server
        logging.getLogger().removeHandler(handler)
        sentry_sdk.get_client().close()
        sentry_sdk.get_global_scope().set_client(None)
        server.shutdown()
        thread.join()


def fail(request: HttpRequest, key: str) -> HttpResponse:
    hidden = f"local {request.user}"
    raise RuntimeError("not thought of", len(hidden))


urlpatterns = [path("", fail, name="home"), path("fail/<str:key>/", fail)]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
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


@pytest.mark.django_db  # Channels looks after database connections, used or not
async def test_what_a_consumer_raises_arrives_with_its_route(
    sentry: Sentry, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def receive(self: PingConsumer, text_data: str) -> None:
        raise RuntimeError("not thought of", len(text_data))

    monkeypatch.setattr(PingConsumer, "receive", receive)

    async with open_socket(f"/ws/ping/?q={PRIVATE}") as socket:
        await socket.send_to(PRIVATE)
        assert (await socket.receive_output())["code"] == 1011

    (event,) = sentry.events()
    assert event["exception"]["values"][0]["type"] == "RuntimeError"
    assert event["transaction"] == event["request"]["url"] == "/ws/ping/"
    assert PRIVATE not in str(sentry.received)


def test_only_errors_are_sent(sentry: Sentry, client: Client) -> None:
    client.get("/", headers={"host": "evil.example"})
    logging.getLogger("harbour").warning("fog")

    assert sentry.events() == []
