"""What monitoring asks a process, as it asks: of the whole ASGI application."""

import json
from typing import Any

import pytest
from channels.routing import get_default_application
from channels.testing import HttpCommunicator


async def get(application: Any, path: str) -> Any:
    """Return the response: a dictionary with status, headers and body."""
    headers = [(b"host", b"10.1.2.3")]
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
