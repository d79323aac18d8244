from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import HTTPServer
from typing import Any, NamedTuple

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.backends.signals import connection_created
from django.test import AsyncClient, Client
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from apps.ops.metrics import start_server
from apps.ops.probes import ProbeMiddleware
from apps.ops.queries import measure_query, watch_connection

# It has no types.
communicator: Any = ApplicationCommunicator
TOKEN = "a-token"
TIMEOUT = 5


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def inner(scope: Any, receive: Any, send: Any) -> None:
    """The site behind, which is a teapot."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> Iterator[ProbeMiddleware]:
    registry = CollectorRegistry()
    Counter("cups", "Cups of tea.", registry=registry).inc(3)
    monkeypatch.setattr("apps.ops.metrics.REGISTRY", registry)
    yield ProbeMiddleware(inner)
    connection_created.disconnect(dispatch_uid="metrics")


async def scrape(
    application: Any, authorization: bytes | None, path: str = "/metrics"
) -> Answer:
    headers = [(b"host", b"10.1.2.3:8000")]
    if authorization is not None:
        headers.append((b"authorization", authorization))
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    asked = communicator(application, scope)
    start = await asked.receive_output(TIMEOUT)
    body = await asked.receive_output(TIMEOUT)
    await asked.wait()  # raises what the application raised
    return Answer(start["status"], dict(start["headers"]), body["body"])


async def test_who_has_the_token_reads_the_numbers(probes: ProbeMiddleware) -> None:
    answer = await scrape(probes, b"Bearer a-token")

    assert answer.status == 200
    assert answer.headers[b"content-type"].startswith(b"text/plain; version=0.0.4")
    assert answer.headers[b"cache-control"] == b"no-store"
    families = {
        family.name: family
        for family in text_string_to_metric_families(answer.body.decode())
    }
    assert families["cups"].samples[0].value == 3


@pytest.mark.parametrize(
    "authorization",
    [None, b"", b"Bearer", b"Bearer ", b"Bearer a-toke", b"Basic a-token", b"\xff\x00"],
)
async def test_nobody_else_does(
    probes: ProbeMiddleware, authorization: bytes | None
) -> None:
    answer = await scrape(probes, authorization)

    assert (answer.status, answer.body) == (401, b"")
    assert answer.headers[b"www-authenticate"] == b"Bearer"


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metrics/x", "/a/metrics"])
async def test_other_addresses_are_the_sites(
    probes: ProbeMiddleware, path: str
) -> None:
    assert (await scrape(probes, b"Bearer a-token", path)).status == 418


async def test_without_a_token_there_are_none(settings: Settings) -> None:
    settings.METRICS_TOKEN = ""

    assert (await scrape(ProbeMiddleware(inner), b"Bearer ")).status == 418


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A process's own address, which another process cannot have."""
    server = start_server("127.0.0.1:0")
    yield server
    server.shutdown()
    server.server_close()


def ask(server: HTTPServer, path: str, headers: dict[str, str]) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=TIMEOUT)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_a_process_answers_at_an_address_of_its_own(server: HTTPServer) -> None:
    authorized = {"Authorization": f"Bearer {TOKEN}"}

    status, text = ask(server, "/metrics", authorized)
    assert status == 200
    assert "python_info{" in text
    assert ask(server, "/", authorized)[0] == 404
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "\xff"}):
        status, text = ask(server, "/metrics", headers)
        assert status == 401
        assert "python_info{" not in text


def test_an_address_that_is_taken_is_named(server: HTTPServer) -> None:
    address = f"127.0.0.1:{server.server_port}"
    with pytest.raises(ImproperlyConfigured, match=f"'{address}'.* host:port"):
        start_server(address)


def test_requests_count_by_view_and_status(client: Client, grown: Any) -> None:
    client.get("/favicon.ico")
    client.get("/no/such/page/")
    client.get("/no/such/page/either/")

    count = "django_requests_total"
    assert grown(count, method="GET", view="apps.web.views.favicon", status="302") == 1
    assert grown(count, method="GET", view="none", status="404") == 2
    assert grown("django_request_seconds_count", view="none") == 2


async def test_async_requests_count_too(async_client: AsyncClient, grown: Any) -> None:
    await async_client.get("/favicon.ico")

    labels = {"method": "GET", "view": "apps.web.views.favicon", "status": "302"}
    assert grown("django_requests_total", **labels) == 1


def test_a_method_that_somebody_made_up_has_no_name(client: Client, grown: Any) -> None:
    client.generic("BREW", "/no/such/page/")

    labels = {"method": "other", "view": "none", "status": "404"}
    assert grown("django_requests_total", **labels) == 1


@pytest.mark.django_db
def test_queries_are_timed_and_their_errors_counted(grown: Any) -> None:
    for _ in range(2):
        watch_connection(connection)  # each time that it is opened
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        with pytest.raises(Exception, match="nothing"), connection.cursor() as cursor:
            cursor.execute("SELECT nothing")
    finally:
        connection.execute_wrappers.remove(measure_query)

    assert measure_query not in connection.execute_wrappers
    assert grown("django_query_seconds_count") == 2
    errors = ("OperationalError", "ProgrammingError")  # SQLite's and PostgreSQL's
    assert sum(grown("django_query_errors_total", error=name) for name in errors) == 1
