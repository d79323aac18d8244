"""The recipes of docs/jobs.md, typed into a project exactly as they are printed."""

import re
from pathlib import Path

from baking import Project
from readmes import code, type_in

# A path between backticks, and the block below it.
FILE = re.compile(
    r"`(apps/[\w/.]+\.(?:py|html))`(?:(?!```).)*?\n\n```(?:python|html)\n(.*?)```", re.S
)
ROUTE = re.compile(
    r"`config/urls.py`, with its import `(.*?)`:\n\n```python\n(.*?)\n```", re.S
)
APPS = ("exports", "assistant")


def type_jobs(project: Project) -> None:
    text = (project.path / "docs" / "jobs.md").read_text("utf-8")
    for block in code(text, "sh"):
        type_in(block, project.path)
    for name, source in FILE.findall(text):
        path = project.path / name
        if path.name == "home.html":
            insert(path, "{% block main %}\n", source)
            continue
        if not path.parent.exists():
            path.parent.mkdir()
            (path.parent / "__init__.py").touch()
        path.write_text(source, "utf-8")
    urls = project.path / "config" / "urls.py"
    for statement, route in ROUTE.findall(text):
        insert(urls, "urlpatterns = [\n", f"    {route},\n")
        insert(urls, "from django.urls import include, path\n\n", f"{statement}\n")
    for app in APPS:
        settings = project.path / "config" / "settings.py"
        insert(settings, '    "apps.ops",\n', f'    "apps.{app}",\n')
    project.manage("makemigrations", *APPS)


def insert(path: Path, after: str, text: str) -> None:
    found = path.read_text("utf-8")
    assert after in found, after
    path.write_text(found.replace(after, after + text, 1), "utf-8")


def count_lines(recipe: str) -> int:
    """The lines that a user writes, without those of models and tests."""
    written = [
        source
        for name, source in FILE.findall(recipe)
        if not name.endswith("/models.py") and "/tests/" not in name
    ]
    written += ["\n".join(pair) for pair in ROUTE.findall(recipe)]
    return sum(bool(line.strip()) for text in written for line in text.split("\n"))
