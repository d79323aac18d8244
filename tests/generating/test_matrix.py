"""Every pair of answers makes a project that every tool is content with."""

import re
from pathlib import Path

import pytest
from allpairspy import AllPairs
from baking import Answers, Kitchen, Project, run
from filelock import FileLock
from texts import HOSTILE

PROMPTS: dict[str, list[str | bool]] = {
    "license": ["MIT", "BSD-3-Clause", "Apache-2.0", "GPL-3.0-or-later", "none"],
    "project_name": ["My Project", HOSTILE["quotes"], HOSTILE["japanese"]],
    "description": ["", HOSTILE["200 characters"], HOSTILE["emoji"]],
    "author_name": ["", "Ada Lovelace", HOSTILE["many quotes"]],
    "author_email": ["", "ada@example.org", "o'hara+x@example.org"],
    "domain_name": ["example.com", "chat.example.co.uk", "localhost"],
    "timezone": ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"],
    "ci": ["github", "gitlab", "none"],
    "project_slug": ["my_project", "X"],
    "include_chat_demo": [True, False],
    "chat_client": ["htmx", "javascript"],
    "database": ["sqlite", "postgresql"],
    "asgi_server": ["daphne", "uvicorn"],
    "install_now": [True, False],
}
# Wide prompts first: the table is shortest so.
TABLE: list[Answers] = [
    dict(zip(PROMPTS, row, strict=True)) for row in AllPairs(list(PROMPTS.values()))
]
# Of all answers, those that decide which code there is; the others are texts in it.
CODE = ("include_chat_demo", "chat_client", "asgi_server")
FIRST_OF_CODE = {
    tuple(row[name] for name in CODE): number
    for number, row in reversed(list(enumerate(TABLE)))
}
# GitHub's own expressions begin with ${{.
JINJA = re.compile(r"(?<!\$)\{\{|\{%|\{#|cookiecutter\.\w|# %")
# Django's own tags live in these, and they are copied as they are.
COPIED = {".css", ".html", ".html-tpl", ".ico", ".js", ".mo", ".png", ".svg"}
# What comes with installing.
STATE = {".pyc", ".sqlite3"}


def test_the_table_has_every_pair() -> None:
    names = list(PROMPTS)
    wanted = {
        (a, x, b, y)
        for a in names
        for b in names[names.index(a) + 1 :]
        for x in PROMPTS[a]
        for y in PROMPTS[b]
    }
    found = {
        (a, row[a], b, row[b])
        for row in TABLE
        for a in names
        for b in names[names.index(a) + 1 :]
    }
    assert found == wanted


@pytest.fixture(scope="module")
def everything(kitchen: Kitchen) -> Project:
    """A project with every dependency that any may have."""
    return kitchen.bake({"asgi_server": "uvicorn", "chat_client": "htmx"})


@pytest.mark.parametrize("number", range(len(TABLE)))
def test_a_project_is_clean(
    kitchen: Kitchen,
    everything: Project,
    tmp_path_factory: pytest.TempPathFactory,
    number: int,
) -> None:
    answers = TABLE[number]
    # The database of whoever generates has no part in this, and may not be there.
    database = tmp_path_factory.mktemp("database") / "db.sqlite3"
    env = {"DATABASE_URL": f"sqlite:///{database}"}
    if answers["install_now"]:
        # Where others with these dependencies have them.
        venv = kitchen.bake({**answers, "install_now": False}).venv
        env["UV_PROJECT_ENVIRONMENT"] = str(venv)
    project = kitchen.bake(answers, env)
    assert database.exists() == answers["install_now"]
    for path in project.path.rglob("*"):
        if (
            path.is_file()
            and path.suffix not in COPIED | STATE
            and ".venv" not in path.parts
        ):
            assert_is_finished(path)
    project.run("ruff", "check", "--no-cache")
    project.run("ruff", "format", "--check", "--no-cache")
    check_for_deployment(project)
    if number in FIRST_OF_CODE.values():
        check_types(kitchen, project.path, everything)
        check_migrations(project)


def test_what_startsocket_adds_is_typed(kitchen: Kitchen, everything: Project) -> None:
    project = kitchen.bake({})
    project.manage("startsocket", "web", "ticker")
    check_types(kitchen, project.path, everything)


def assert_is_finished(path: Path) -> None:
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        above = re.findall(r"(.*)\n## ", text)
        assert not any(above), f"{path}: a heading follows {above}"
        text = re.sub(r" *```html\n.*?```\n", "", text, flags=re.DOTALL)
    assert not (found := JINJA.search(text)), f"{path}: {found}"
    assert text.endswith("\n") or not text, f"{path} ends in mid-line"
    assert not re.search(r"[ \t]$", text, re.MULTILINE), f"{path}: blanks at line end"


def check_types(kitchen: Kitchen, path: Path, everything: Project) -> None:
    # With all dependencies, whatever the project's own: what mypy finds out about them,
    # which takes longest, is found out once.
    cache = kitchen.shared / "mypy"
    with FileLock(f"{cache}.lock"):
        run(everything.python, "-m", "mypy", ".", "--cache-dir", cache, cwd=path)


def check_migrations(project: Project) -> None:
    # Without a database server, which a check must not need. What Django's system
    # checks object to is printed before the first line.
    looked = project.manage(
        *("makemigrations", "--check", "--dry-run"),
        env={"DATABASE_URL": "sqlite:///:memory:"},
    )
    assert looked == "No changes detected\n"


def check_for_deployment(project: Project) -> None:
    deployed = project.manage(
        *("check", "--deploy", "--fail-level", "WARNING"),
        env={
            "DEBUG": "false",
            "REDIS_URL": "redis://127.0.0.1:6379/0",
            "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz" * 2,
        },
    )
    assert "System check identified no issues" in deployed
