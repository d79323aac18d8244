"""Odd text in every answer that takes any text: it generates, and it runs."""

import json
import tomllib

import pytest
from baking import NOTHING, Kitchen, Project, Variables, run
from serving import Visitor, free_port, serve
from texts import HOSTILE

TEXTS = ("project_name", "description", "author_name")
DEEP = pytest.mark.deep
# All texts, three in each project, and each one in all three answers.
NAMES = [*HOSTILE, *HOSTILE]
THREES = [pytest.param(NAMES[n : n + 3]) for n in range(0, len(HOSTILE), 3)]
EACH = [pytest.param([name] * 3, marks=DEEP) for name in HOSTILE]
SHOW = (
    "import json; from config import settings;"
    "print(json.dumps([settings.PROJECT_NAME, settings.PROJECT_DESCRIPTION]))"
)


@pytest.mark.parametrize("names", THREES + EACH, ids=" ".join)
def test_text_arrives_unchanged_in_a_clean_project(
    kitchen: Kitchen, names: list[str]
) -> None:
    name, description, author = (HOSTILE[one] for one in names)
    project = kitchen.bake(dict(zip(TEXTS, (name, description, author), strict=True)))
    declared = tomllib.loads((project.path / "pyproject.toml").read_text("utf-8"))
    assert declared["project"]["description"] == description
    assert declared["project"]["authors"] == [{"name": author}]
    project.run("ruff", "check", "--no-cache")
    project.run("ruff", "format", "--check", "--no-cache")
    shown = run(project.python, "-c", SHOW, cwd=project.path)
    assert json.loads(shown.stdout) == [name, description]
    assert not (project.path / "owned").exists()


@pytest.mark.parametrize(
    "text",
    [
        "markup",
        *(
            pytest.param(one, marks=DEEP)
            for one in ("quotes", "emoji", "200 characters")
        ),
    ],
)
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
