"""The chat's own fixtures, in a project whose endpoints are its own."""

import pytest

from apps.chat.tests.conftest import *  # noqa: F403


@pytest.fixture(autouse=True)
def endpoints() -> None:
    """The endpoints are those of the project."""
