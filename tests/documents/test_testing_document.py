"""The tests that docs/testing.md shows pass, and what it says of others is so."""

import re

import pytest
from baking import Kitchen, Project, Variables, assert_all_passed, run
from readmes import code

WRONG = """
import pytest
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
SENTENCE = "RuntimeError: This test is in a transaction"


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    project = kitchen.bake({"include_chat_demo": False})
    text = (project.path / "docs" / "testing.md").read_text()
    names = re.findall(r"^`(apps/web/tests/\w+\.py)`:$", text, re.M)
    for name, block in zip(names, code(text, "python"), strict=True):
        (project.path / name).write_text(block)
    tests = project.path / "apps" / "web" / "tests"
    (tests / "test_left.py").write_text(LEFT.lstrip())
    (tests / "wrong.py").write_text(WRONG.lstrip())
    project.run("ruff", "check", "--no-cache", "apps")
    project.run("ruff", "format", "--check", "--no-cache", "apps")
    return project


def by_django(
    project: Project, *arguments: str, env: Variables, ok: bool = True
) -> str:
    command = [project.python, "manage.py", "test", "--noinput", *arguments]
    done = run(*command, cwd=project.path, env=env, ok=ok)
    return done.stdout + done.stderr


def test_by_pytest(project: Project) -> None:
    names = ("people", "socket", "classes", "left")
    paths = [f"apps/web/tests/test_{name}.py" for name in names]
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", *paths)
    assert_all_passed(done.stdout)


def test_by_django_in_parallel(project: Project) -> None:
    # What a run that was ended has left behind.
    (project.path / "test_1.sqlite3-wal").write_bytes(b"x" * 5000)

    printed = by_django(project, "--parallel", "2", "apps.web", env={})

    assert "Cloning test database" in printed
    assert "Ran 4 tests" in printed
    assert not list(project.path.glob("test*.sqlite3*"))


@pytest.mark.deep
def test_by_django_in_parallel_on_postgresql_and_redis(
    project: Project, postgres: Variables, redis_url: str
) -> None:
    env = {**postgres, "REDIS_URL": redis_url}

    assert "Ran 4 tests" in by_django(project, "--parallel", "2", "apps.web", env=env)


def test_what_cannot_work_says_so(project: Project) -> None:
    by_pytest = ("pytest", "-q", "-p", "no:cacheprovider", "apps/web/tests/wrong.py")
    done = project.run(*by_pytest, ok=False)
    printed = by_django(project, "apps.web.tests.wrong", env={}, ok=False)

    assert done.stdout.count(f"- {SENTENCE[:20]}") == 5
    assert printed.count(SENTENCE) == 3
    assert "FAILED (errors=3)" in printed
