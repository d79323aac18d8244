import re
import socket
from collections.abc import AsyncIterator
from http.client import HTTPConnection
from typing import Any

import pytest
from channels.testing import HttpCommunicator
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from pytest_django import Settings

from apps.ops.metrics import start_metrics

TIMEOUT = 5


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    async def events() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    return StreamingHttpResponse(events())


urlpatterns = [path("stream/", stream)]


@pytest.fixture
def address(settings: Settings) -> str:
    """Where this process has its numbers, until it ends."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        settings.METRICS_ADDRESS = f"127.0.0.1:{probe.getsockname()[1]}"
    start_metrics()
    return str(settings.METRICS_ADDRESS)


def test_a_process_answers_at_an_address_of_its_own(address: str) -> None:
    asked = HTTPConnection(address, timeout=TIMEOUT)
    asked.request("GET", "/metrics")
    text = asked.getresponse().read().decode()

    assert "python_info{" in text
    assert "_created" not in text


def test_an_address_that_cannot_be_had_is_named(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        in_use = f"127.0.0.1:{other.getsockname()[1]}"
        for settings.METRICS_ADDRESS in (in_use, "256.1.1.1:9101", "192.0.2.1:9101"):
            expected = f"METRICS_ADDRESS: cannot listen at {settings.METRICS_ADDRESS} "
            with pytest.raises(ImproperlyConfigured, match=re.escape(expected)):
                start_metrics()


async def test_the_site_itself_tells_nothing(address: str) -> None:
    headers = [(b"host", b"localhost")]
    asked = HttpCommunicator(get_asgi_application(), "GET", "/metrics", headers=headers)
    answer = await asked.get_response(TIMEOUT)

    assert answer["status"] in {400, 404}
    assert b"python_info" not in answer["body"]


def test_requests_count_by_view_and_status(client: Client, grown: Any) -> None:
    client.get("/admin/jsi18n/")
    client.get("/no/such/page/")
    client.get("/no/such/page/either/")

    count = "django_request_seconds_count"
    assert grown(count, view="admin:jsi18n", status="302") == 1
    assert grown(count, view="none", status="404") == 2


async def test_async_requests_count_too(async_client: AsyncClient, grown: Any) -> None:
    await async_client.get("/admin/jsi18n/")

    labels = {"view": "admin:jsi18n", "status": "302"}
    assert grown("django_request_seconds_count", **labels) == 1


async def test_requests_and_streams_that_go_on_are_counted(
    async_client: AsyncClient, settings: Settings, grown: Any
) -> None:
    settings.ROOT_URLCONF = __name__

    answer: Any = await async_client.get("/stream/")
    async for _ in answer:
        assert grown("django_requests_underway") == 1
    assert grown("django_requests_underway") == 0
