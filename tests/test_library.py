"""The library's own tests pass in a project, on every service that it may meet.

With --deep each file does so on all of them; or else the files take turns. Those on
SQLite meet users and rooms with UUIDs.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from baking import NOTHING, Kitchen, Project, Variables, assert_all_passed
from keys import TEXT, UUID, give_keys

LIBRARY = Path(__file__).parent / "library"
ALL = sorted(str(path.relative_to(LIBRARY)) for path in LIBRARY.rglob("test_*.py"))
OF_POSTGRESQL = [name for name in ALL if name.endswith("_of_postgresql.py")]
FILES = [name for name in ALL if name not in OF_POSTGRESQL]
# What goes through the channel layer.
LAYERED = (
    *("delivery", "test_consumers.py", "test_plain_consumers.py", "test_process.py"),
    *("test_json_consumer.py", "test_publishing.py", "test_revoking.py"),
)
OTHER_LAYER = """
from config.settings import *

LAYER = "channels_redis.core.RedisChannelLayer"
CHANNEL_LAYERS["channels_live"]["BACKEND"] = LAYER
"""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    return bake(kitchen)


@pytest.fixture(scope="module")
def with_uuids(kitchen: Kitchen) -> Project:
    project = bake(kitchen)
    give_keys(project, *UUID)
    return project


def bake(kitchen: Kitchen) -> Project:
    """A project with both servers, and the library's tests beside its apps."""
    project = kitchen.bake({"asgi_server": "uvicorn"})
    tests = project.path / "tests"
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(LIBRARY, tests / "library", ignore=caches)
    (tests / "__init__.py").touch()
    (project.path / "config" / "other.py").write_text(OTHER_LAYER)
    return project


def assert_passes(
    project: Project, names: Sequence[str], *more: str, env: Variables = NOTHING
) -> None:
    paths = [f"tests/library/{name}" for name in names]
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", *paths, *more, env=env)
    assert_all_passed(done.stdout)


@pytest.mark.deep
def test_on_sqlite_and_the_layer_in_memory(project: Project) -> None:
    assert_passes(project, FILES)


def test_on_postgresql_and_redis(
    project: Project, is_deep: bool, postgres: Variables, redis_url: str
) -> None:
    env = {**postgres, "REDIS_URL": redis_url}
    names = FILES if is_deep else FILES[1::2]
    assert_passes(project, [*names, *OF_POSTGRESQL], env=env)


def test_where_keys_are_uuids(with_uuids: Project, is_deep: bool) -> None:
    assert_passes(with_uuids, FILES if is_deep else FILES[::2], "apps")


@pytest.mark.deep
def test_where_keys_are_uuids_on_postgresql_and_redis(
    with_uuids: Project, postgres: Variables, redis_url: str
) -> None:
    env = {**postgres, "REDIS_URL": redis_url}
    assert_passes(with_uuids, ALL, env=env)
    assert_passes(with_uuids, [], "apps", env=env)


@pytest.mark.deep
def test_types_are_right_where_keys_are_uuids(
    with_uuids: Project, mypy_cache: Variables
) -> None:
    with_uuids.manage("makemigrations", "--check")
    with_uuids.run("mypy", "apps", "channels_live", "config", env=mypy_cache)


@pytest.mark.deep
def test_where_keys_are_text(kitchen: Kitchen) -> None:
    project = bake(kitchen)
    give_keys(project, *TEXT)
    # Any text is such a key, so that none is refused.
    assert_passes(project, FILES, "apps/chat", "-k", "not has_the_type_of_the_field")


@pytest.mark.deep
def test_on_the_other_layer_of_channels_redis(project: Project, redis_url: str) -> None:
    env = {"REDIS_URL": redis_url, "DJANGO_SETTINGS_MODULE": "config.other"}
    assert_passes(project, LAYERED, env=env)


def test_they_are_clean_in_a_project_too(
    project: Project, mypy_cache: Variables
) -> None:
    project.run("ruff", "check", "--no-cache", "tests")
    project.run("ruff", "format", "--check", "--no-cache", "tests")
    project.run("mypy", "--follow-imports", "silent", "tests", env=mypy_cache)
