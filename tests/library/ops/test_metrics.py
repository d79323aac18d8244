from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import HTTPServer
from typing import Any, NamedTuple

import pytest
from channels.testing import HttpCommunicator
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import AsyncClient, Client
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from apps.ops.metrics import measure_query, start_server, watch_connection

TOKEN = "a-token"
TIMEOUT = 5


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The site, whose numbers are cups of tea."""
    registry = CollectorRegistry()
    Counter("cups", "Cups of tea.", registry=registry).inc(3)
    monkeypatch.setattr("apps.ops.metrics.REGISTRY", registry)
    return get_asgi_application()


async def scrape(
    site: Any, authorization: bytes | None, path: str = "/metrics"
) -> Answer:
    headers = [(b"host", b"10.1.2.3:8000")]
    if authorization is not None:
        headers.append((b"authorization", authorization))
    asked = HttpCommunicator(site, "GET", path, headers=headers)
    answer = await asked.get_response(TIMEOUT)
    lower = {name.lower(): value for name, value in answer["headers"]}
    return Answer(answer["status"], lower, answer["body"])


async def test_who_has_the_token_reads_the_numbers(site: Any) -> None:
    answer = await scrape(site, b"Bearer a-token")

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
async def test_nobody_else_does(site: Any, authorization: bytes | None) -> None:
    answer = await scrape(site, authorization)

    assert (answer.status, answer.body) == (401, b"")
    assert answer.headers[b"www-authenticate"] == b"Bearer"


@pytest.mark.parametrize("path", ["/metrics/", "/metrics/x", "/a/metrics"])
async def test_other_addresses_are_the_sites(site: Any, path: str) -> None:
    assert (await scrape(site, b"Bearer a-token", path)).status in {400, 404}


async def test_without_a_token_there_are_none(site: Any, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""

    assert (await scrape(site, b"Bearer ")).status in {400, 404}


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
