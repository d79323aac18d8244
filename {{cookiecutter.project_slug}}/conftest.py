"""What all tests share."""

import gc
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import connection
from prometheus_client import REGISTRY
from pytest_django import DjangoDbBlocker, Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest_plugins = ["channels_live.testing"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
START = 60  # seconds that a server may take
# Does what manage.py does, with a test database of another name.
MANAGE = """
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = sys.argv.pop()
execute_from_command_line(sys.argv)
"""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Load Playwright for tests in browsers alone: that takes as long as many tests."""
    is_left_out = config.option.markexpr == "not browser"
    return (is_left_out and collection_path.match("*_in_browser.py")) or None


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what was loaded once for all tests."""
    gc.freeze()


@pytest.fixture(autouse=True)
def quick(settings: Settings) -> None:
    """Leave out what costs time and is no matter for tests.

    Static files are served by an async middleware, for which Django's test client
    starts an event loop at each request.
    """
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MIDDLEWARE = [
        name for name in settings.MIDDLEWARE if not name.startswith("servestatic.")
    ]


@pytest.fixture(scope="session")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """The address of a development server, with an empty database of its own."""
    suffix = "site"
    database = connection.creation.get_test_db_clone_settings(suffix)["NAME"]
    nothing = tmp_path_factory.mktemp("fixtures") / "nothing.json"
    nothing.write_text("[]")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-c", MANAGE, "testserver", "--noinput"]
    with subprocess.Popen(
        [*command, "--addrport", address, str(nothing), database],
        cwd=settings.BASE_DIR,
    ) as server:
        try:
            wait_until_it_answers(server, address)
            yield f"http://{address}"
        finally:
            server.terminate()
    with django_db_blocker.unblock():
        connection.creation.destroy_test_db(suffix=suffix, verbosity=0)


def wait_until_it_answers(server: subprocess.Popen[bytes], address: str) -> None:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError("The server ended, for the reason that it printed.")
        with socket.socket() as visitor:
            if visitor.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"The server did not answer within {START} seconds.")


# For one test only: while Playwright is at work, the thread's event loop is its own.
@pytest.fixture
def browser() -> Iterator["Browser"]:
    """The machine's Chromium or Chrome, or the one that Playwright installed."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture
def grown() -> Callable[..., float]:
    """Tells by how much a number for Prometheus has grown since the test began."""

    def read(name: str, labels: dict[str, str]) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0

    before = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
    }

    def grown(name: str, **labels: str) -> float:
        return read(name, labels) - before.get((name, *sorted(labels.items())), 0)

    return grown
