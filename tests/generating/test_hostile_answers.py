"""Odd text in every answer that takes any text: it generates, and it runs."""

import json
import tomllib

import pytest
from baking import NOTHING, Kitchen, Project, Variables, run
from serving import Visitor, free_port, serve
from texts import HOSTILE

TEXTS = ("project_name", "description", "author_name")
SHOW = (
    "import json; from config import settings;"
    "print(json.dumps([settings.PROJECT_NAME, settings.PROJECT_DESCRIPTION]))"
)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_arrives_unchanged_in_a_clean_project(kitchen: Kitchen, text: str) -> None:
    project = kitchen.bake(dict.fromkeys(TEXTS, text))
    declared = tomllib.loads((project.path / "pyproject.toml").read_text("utf-8"))
    assert declared["project"]["description"] == text
    assert declared["project"]["authors"] == [{"name": text}]
    project.run("ruff", "check", "--no-cache")
    project.run("ruff", "format", "--check", "--no-cache")
    shown = run(project.python, "-c", SHOW, cwd=project.path)
    assert json.loads(shown.stdout) == [text, text]
    assert not (project.path / "owned").exists()


@pytest.mark.parametrize("text", ["quotes", "markup", "emoji", "200 characters"])
def test_a_project_of_that_name_serves_it(kitchen: Kitchen, text: str) -> None:
    project = kitchen.bake(dict.fromkeys(TEXTS, HOSTILE[text]))
    visit(project, HOSTILE[text])


def test_a_long_name_fits_into_postgresql(
    kitchen: Kitchen, postgres: dict[str, str]
) -> None:
    # SQLite does not mind text that is longer than its column.
    project = kitchen.bake(dict.fromkeys(TEXTS, HOSTILE["200 characters"]))
    visit(project, HOSTILE["200 characters"], postgres)


def visit(project: Project, name: str, env: Variables = NOTHING) -> None:
    project.manage("migrate", env=env)
    port = free_port()
    command = [str(project.python), "-m", "daphne", "-b", "127.0.0.1", "-p", str(port)]
    command.append("config.asgi:application")
    with serve(command, cwd=project.path, port=port, env=env) as server:
        page = Visitor(server).get("/")
        assert page.ok
        escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert escaped.replace('"', "&quot;").replace("'", "&#x27;") in page.text
        assert "Traceback" not in server.log
