"""Every pair of answers makes a project that every tool is content with."""

import re
from collections.abc import Sequence
from itertools import combinations, product
from pathlib import Path

import pytest
from allpairspy import AllPairs
from baking import Answers, Kitchen, Project, Variables
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
DEEP = pytest.mark.deep
# Wide prompts first: the table is shortest so.
TABLE: list[Answers] = [
    dict(zip(PROMPTS, row, strict=True)) for row in AllPairs(list(PROMPTS.values()))
]
# Of all answers, those that decide which code there is; the others are texts in it.
CODE = ("include_chat_demo", "chat_client", "asgi_server")
ROW = (False, "htmx", "uvicorn")


def is_new(row: Answers, rows: Sequence[Answers]) -> bool:
    """Whether it has an answer, or a pair of those to CODE, that none of these has."""
    parts = [*([name] for name in PROMPTS), *combinations(CODE, 2)]
    return any(
        all(any(row[name] != other[name] for name in part) for other in rows)
        for part in parts
    )


ROWS = [
    pytest.param(row, id=str(number), marks=() if is_new(row, TABLE[:number]) else DEEP)
    for number, row in enumerate(TABLE)
]
# GitHub's own expressions begin with ${{.
JINJA = re.compile(r"(?<!\$)\{\{|\{%|\{#|cookiecutter\.\w|# %")
# Django's own tags live in these, and they are copied as they are.
COPIED = {".css", ".html", ".html-tpl", ".ico", ".js", ".png", ".svg"}
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


@pytest.mark.parametrize("answers", ROWS)
def test_a_project_is_clean(kitchen: Kitchen, is_deep: bool, answers: Answers) -> None:
    project = kitchen.bake({**answers, "install_now": False})
    if answers["install_now"] and is_deep:  # or else test_installing.py does
        project = install(kitchen, answers)
    for path in project.path.rglob("*"):
        if (
            path.is_file()
            and path.suffix not in COPIED | STATE
            and not {".venv", "app_template"} & set(path.parts)
        ):
            assert_is_finished(path)
    project.run("ruff", "check", "--no-cache")
    project.run("ruff", "format", "--check", "--no-cache")
    check_for_deployment(project)
    check_migrations(project)


def install(kitchen: Kitchen, answers: Answers) -> Project:
    path = kitchen.generate(answers, {})
    # No PostgreSQL is where .env says one is.
    is_there = answers["database"] == "sqlite"
    assert (path / "db.sqlite3").exists() == is_there
    return Project(path, path / ".venv")


@pytest.mark.parametrize(
    ("include_chat_demo", "chat_client", "asgi_server"),
    [
        # test_project_readme.py, test_first_push.py and test_idioms.py look at the
        # types of three others, so that all pairs are there.
        ROW,
        *(
            pytest.param(*answers, marks=DEEP)
            for answers in product(*(PROMPTS[name] for name in CODE))
            if answers != ROW
        ),
    ],
)
def test_types_are_right_in_a_project_and_what_startsocket_adds(
    kitchen: Kitchen,
    mypy_cache: Variables,
    include_chat_demo: bool,
    chat_client: str,
    asgi_server: str,
) -> None:
    project = kitchen.bake(
        {
            "include_chat_demo": include_chat_demo,
            "chat_client": chat_client,
            "asgi_server": asgi_server,
        }
    )
    for name, form in ("ticker", "html"), ("orders", "json"), ("newest", "live"):
        project.manage("startsocket", "web", name, f"--{form}")
    project.run("mypy", ".", env=mypy_cache)


def assert_is_finished(path: Path) -> None:
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        above = re.findall(r"(.*)\n## ", text)
        assert not any(above), f"{path}: a heading follows {above}"
        text = re.sub(r" *```html\n.*?```\n", "", text, flags=re.DOTALL)
        # Tags and variables of Django's.
        text = re.sub(r"`\{[%{] (?!.*cookiecutter)[^`\n]* [%}]\}`", "a tag", text)
    assert not (found := JINJA.search(text)), f"{path}: {found}"
    assert text.endswith("\n") or not text, f"{path} ends in mid-line"
    assert not re.search(r"[ \t]$", text, re.MULTILINE), f"{path}: blanks at line end"


def check_migrations(project: Project) -> None:
    # Without a database server, which a check must not need. What Django's system
    # checks object to is printed before the first line.
    looked = project.manage(
        *("makemigrations", "--check", "--dry-run"),
        env={"DATABASE_URL": "sqlite:///test.sqlite3"},
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
