"""What monitoring asks a process, as it asks: of the whole ASGI application."""

import json
from typing import Any

import pytest
from channels.routing import get_default_application
from channels.testing import HttpCommunicator
from pytest_django import Settings

TOKEN = "a-token"


async def get(application: Any, path: str, authorization: str = "") -> Any:
    """Return the response: a dictionary with status, headers and body."""
    headers = [(b"host", b"10.1.2.3"), (b"authorization", authorization.encode())]
    return await HttpCommunicator(
        application, "GET", path, headers=headers
    ).get_response()


async def test_a_process_that_runs_is_live() -> None:
    response = await get(get_default_application(), "/health/live")

    assert response["status"] == 200
    assert json.loads(response["body"]) == {"status": "pass"}


@pytest.mark.django_db(transaction=True)
async def test_it_is_ready_once_it_can_serve() -> None:
    response = await get(get_default_application(), "/health/ready")

    assert response["status"] == 200
    assert set(json.loads(response["body"])["checks"].values()) == {"pass"}


async def test_without_a_database_it_is_not() -> None:
    response = await get(get_default_application(), "/health/ready")

    assert response["status"] == 503
    assert json.loads(response["body"])["checks"]["database"] == "fail"


async def test_whoever_has_the_token_reads_the_numbers(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    application = get_default_application()

    response = await get(application, "/metrics", f"Bearer {TOKEN}")
    assert b"websocket_open_sockets " in response["body"]
    assert (await get(application, "/metrics", "Bearer guess"))["status"] == 401
