import socket
from http.client import HTTPConnection
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.core.asgi import get_asgi_application
from django.db import connection
from django.db.backends.signals import connection_created
from django.test import AsyncClient, Client
from pytest_django import Settings

from apps.ops.metrics import measure_query, start_metrics, watch_connection

TIMEOUT = 5


@pytest.fixture
def address(settings: Settings) -> str:
    """Where this process has its numbers, until it ends."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        settings.METRICS_ADDRESS = f"127.0.0.1:{probe.getsockname()[1]}"
    start_metrics()
    connection_created.disconnect(watch_connection)
    return str(settings.METRICS_ADDRESS)


def test_a_process_answers_at_an_address_of_its_own(address: str) -> None:
    asked = HTTPConnection(address, timeout=TIMEOUT)
    asked.request("GET", "/metrics")
    text = asked.getresponse().read().decode()

    assert "python_info{" in text
    assert "_created" not in text


async def test_the_site_itself_tells_nothing(address: str) -> None:
    headers = [(b"host", b"localhost")]
    asked = HttpCommunicator(get_asgi_application(), "GET", "/metrics", headers=headers)
    answer = await asked.get_response(TIMEOUT)

    assert answer["status"] in {400, 404}
    assert b"python_info" not in answer["body"]


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
