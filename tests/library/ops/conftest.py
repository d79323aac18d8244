"""What operators need is the project's own, and so are its pages and sockets."""

import pytest


@pytest.fixture(autouse=True)
def endpoints() -> None:
    """The endpoints are those of the project."""
