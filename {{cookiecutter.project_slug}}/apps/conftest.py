"""What the tests of all apps share."""

from collections.abc import AsyncIterator

import pytest
from channels.db import aclose_old_connections


@pytest.fixture(autouse=True)
async def threads_without_connections() -> AsyncIterator[None]:
    """Async queries run in a thread, whose connection would outlive the database."""
    yield
    await aclose_old_connections()
