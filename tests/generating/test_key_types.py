"""Users and rooms may have primary keys of any type."""

import re
import shutil
from pathlib import Path

import pytest
from baking import Kitchen, Project, Variables, assert_all_passed

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]

LIBRARY = Path(__file__).parents[1] / "library"
# What a user writes before the first migration, after the docstring of a model.
FIELD = "\n\n    id = models.{}(primary_key=True, default=make_key, editable=False)"
MODELS = {"users": "User", "chat": "Room"}
IMPORTS = """
from django.db import models

from apps.keys import make_key


class """
KEYS = """
from uuid import UUID, uuid4


def make_key() -> {}:
    return {}
"""
UUID = ("UUIDField", "UUID", "uuid4()")
# With what names of groups may not have.
TEXT = ("CharField", "str", 'f"Z:_ {uuid4()}@."')


def bake(kitchen: Kitchen, field: str, kind: str, made: str) -> Project:
    """A project whose users and rooms have keys of a type, and the library's tests."""
    project = kitchen.bake({"asgi_server": "uvicorn"})
    (project.path / "apps" / "keys.py").write_text(KEYS.format(kind, made))
    for app, name in MODELS.items():
        path = project.path / "apps" / app / "models.py"
        before, model, after = re.split(
            rf'(^class {name}\(.*?""".*?""")', path.read_text(), flags=re.M | re.S
        )
        code = before + model + FIELD.format(field) + after
        path.write_text(code.replace("\nclass ", IMPORTS, 1))
        (path.parent / "migrations" / "0001_initial.py").unlink()
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(LIBRARY, project.path / "tests" / "library", ignore=caches)
    (project.path / "tests" / "__init__.py").touch()
    project.manage("makemigrations", "users", "chat")
    return project


def assert_passes(project: Project, *tests: str, env: Variables) -> None:
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", *tests, env=env)
    assert_all_passed(done.stdout)


def test_keys_are_uuids(kitchen: Kitchen, mypy_cache: Variables) -> None:
    project = bake(kitchen, *UUID)
    assert_passes(project, "apps", "tests/library", env={})
    project.manage("makemigrations", "--check")
    project.run("mypy", "apps", "channels_live", "config", env=mypy_cache)


def test_keys_are_uuids_on_postgresql_and_redis(
    kitchen: Kitchen, postgres: Variables, redis_url: str
) -> None:
    env = {**postgres, "REDIS_URL": redis_url}
    assert_passes(bake(kitchen, *UUID), "apps", "tests/library", env=env)


def test_keys_are_text(kitchen: Kitchen) -> None:
    project = bake(kitchen, *TEXT)
    # Any text is such a key, so that none is refused.
    tests = ("apps/chat", "tests/library", "-k", "not has_the_type_of_the_field")
    assert_passes(project, *tests, env={})
