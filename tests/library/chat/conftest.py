"""Tests of the chat demo beside its own. They run in a project that has it."""

from importlib.util import find_spec

import pytest

if find_spec("apps.chat") is None:
    collect_ignore_glob = ["*"]
else:
    from apps.chat.tests.conftest import *  # noqa: F403


@pytest.fixture(autouse=True)
def endpoints() -> None:
    """The endpoints are those of the project."""
