"""Primary keys of other types, as users write them before the first migration."""

import re
from collections.abc import Collection

from baking import Project

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


def give_keys(
    project: Project, field: str, kind: str, made: str, apps: Collection[str] = MODELS
) -> None:
    """Have users and rooms of a project, or some of these, keys of a type."""
    (project.path / "apps" / "keys.py").write_text(KEYS.format(kind, made))
    for app in apps:
        path = project.path / "apps" / app / "models.py"
        model = rf'(^class {MODELS[app]}\(.*?""".*?""")'
        before, model, after = re.split(model, path.read_text(), flags=re.M | re.S)
        code = before + model + FIELD.format(field) + after
        path.write_text(code.replace("\nclass ", IMPORTS, 1))
        (path.parent / "migrations" / "0001_initial.py").unlink()
    project.manage("makemigrations", *apps)
