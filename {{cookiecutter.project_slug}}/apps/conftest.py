"""What the tests of all apps share."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from channels.db import aclose_old_connections
from django.conf import settings


@pytest.fixture(autouse=True, scope="session")
def groups_of_their_own() -> None:
    """Nothing reaches a server that uses the same Redis, or comes from there."""
    layers: Any = settings.CHANNEL_LAYERS
    config = layers["default"]["CONFIG"]
    if "prefix" in config:
        config["prefix"] = f"test-{uuid4()}"


@pytest.fixture(autouse=True)
async def threads_without_connections() -> AsyncIterator[None]:
    """Async queries run in a thread, whose connection would outlive the database."""
    yield
    await aclose_old_connections()
