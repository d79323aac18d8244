"""Every name and call of the library in the documentation is one that there is."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from baking import TEMPLATE, TREE, Kitchen, Project
from prose import blocks, spans, trees
from signatures import (
    LIBRARY,
    PUBLIC_MODULES,
    names_of,
    objections,
    parse,
    public_names,
)

PAGES = ["README.md", "channels_live/README.md"]
PAGES += sorted(f"docs/{path.name}" for path in (TREE / "docs").glob("*.md"))
OWN = "the template's README.md"
# The codes below are of the protocol itself.
FIRST_OF_OURS = 1008

COMMAND = re.compile(r"manage\.py ([a-z_]+)([^|&;#\n]*)")
FLAG = re.compile(r"(?<=\s)--?[a-z][\w-]*")
VARIABLE = re.compile(r"\b([A-Z][A-Z0-9_]{2,})=")
# Of platforms, shells and uv.
FOREIGN = {"PORT", "UV_PYTHON_INSTALL_DIR"}
# Keys of DATABASES, states of jobs, and what is no setting at all.
OTHERS = {
    *("ATOMIC_REQUESTS", "CONN_MAX_AGE", "DISABLE_SERVER_SIDE_CURSORS"),
    *("FAILED", "LOST"),
    *("MIT", "ORG", "PATH", "UTC", "UUID"),
}
KNOWN = """
import json
from allauth.account import app_settings as account
from channels_live.conf import DEFAULTS
from django.conf import settings
from django.core.management import get_commands, load_command_class

flags = {{}}
for name, app in get_commands().items():
    if name in {names!r}:
        parser = load_command_class(app, name).create_parser("manage.py", name)
        flags[name] = sorted(parser._option_string_actions)
named = [*dir(settings), *DEFAULTS, *(f"ACCOUNT_{{name}}" for name in dir(account))]
print(json.dumps({{"flags": flags, "settings": named}}))
"""


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    return kitchen.bake({})


@pytest.fixture(params=[*PAGES, OWN])
def page(project: Project, request: pytest.FixtureRequest) -> str:
    return read(project, request.param)


def read(project: Project, page: str) -> str:
    path = TEMPLATE / "README.md" if page == OWN else project.path / page
    return path.read_text("utf-8")


def test_imports_find_what_they_name(project: Project, page: str) -> None:
    missing = [
        f"{node.module}.{alias.name}"
        for tree in trees(page)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
        if alias.name not in importable(project.path, node.module, alias.name)
    ]
    assert missing == []


def importable(project: Path, module: str, name: str) -> set[str]:
    """What a module has, as far as it is the library's or there already."""
    if module == "channels_live":
        return public_names() | PUBLIC_MODULES
    path = project / f"{module.replace('.', '/')}.py"
    if module.startswith("channels_live."):
        is_public = module.split(".")[1] in PUBLIC_MODULES
        return names_of(path) if is_public else set()
    return names_of(path) if path.exists() else {name}


def test_calls_have_the_arguments_of_their_functions(page: str) -> None:
    found = [objection for tree in trees(page) for objection in objections(tree)]
    assert found == []


def test_a_wrong_call_is_found() -> None:
    wrong = """
await self.join("news", historie=None)
disconnect("news")
Fragment("<p>", 1, 2.0, 3)
Bell.changed_all("default", 1)
ticket_for()
"""
    right = 'publish("news"); Bell.changed(1, 2, using="x"); self.join("news", after=1)'
    assert len(list(objections(ast.parse(wrong)))) == 5
    assert list(objections(ast.parse(right))) == []


@cache
def close_codes() -> dict[str, int]:
    tree = parse(LIBRARY / "base" / "close_code.py")
    (enum,) = (
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == "CloseCode"
    )
    return {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in enum.body
        if isinstance(node, ast.Assign)
    }


def test_close_codes_are_those_of_the_library(page: str) -> None:
    named = {
        node.attr
        for tree in trees(page)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "CloseCode"
    }
    assert named <= set(close_codes())


def test_the_table_of_close_codes_is_complete(project: Project) -> None:
    rows = re.findall(
        r"^\| (\d{4}) \| `(\w+)`", read(project, "docs/realtime.md"), re.M
    )
    ours = {name: code for name, code in close_codes().items() if code >= FIRST_OF_OURS}
    assert {name: int(code) for code, name in rows} == ours


@pytest.fixture(scope="module")
def known(project: Project) -> dict[str, Any]:
    """The options of commands that some page names, and the names of all settings."""
    texts = [read(project, page) for page in (*PAGES, OWN)]
    names = {name for text in texts for name, _ in commands(text)}
    names |= {span.split()[0] for text in texts for span in spans(text) if span.strip()}
    script = KNOWN.format(names=sorted(names))
    printed = project.manage("shell", "--no-imports", "-c", script)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


def commands(page: str) -> Iterator[tuple[str, set[str]]]:
    for text in (*blocks(page, "sh"), *spans(page)):
        for name, rest in COMMAND.findall(text):
            yield name, set(FLAG.findall(rest))


def test_commands_have_the_options_that_are_shown(
    known: dict[str, Any], page: str
) -> None:
    flags: dict[str, list[str]] = known["flags"]
    shown = list(commands(page))
    for span in spans(page):
        name, _, rest = span.partition(" ")
        if name in flags and rest:
            shown.append((name, set(FLAG.findall(f" {rest}"))))
    for name, given in shown:
        assert name in flags, name
        assert given <= set(flags[name]), name


def test_variables_and_settings_are_read_somewhere(
    project: Project, known: dict[str, Any], page: str
) -> None:
    example = (project.path / ".env.example").read_text("utf-8")
    variables = set(re.findall(r"^(?:#   )?([A-Z][A-Z0-9_]+)=", example, re.M))
    given = {
        name
        for text in (*blocks(page, "sh"), *spans(page))
        for name in VARIABLE.findall(text)
    }
    assert given <= variables | FOREIGN | OTHERS
    named = {span for span in spans(page) if re.fullmatch(r"[A-Z][A-Z0-9_]+", span)}
    there = {*known["settings"], *close_codes(), *public_names(), "WAIT"}
    there |= names_of(project.path / "config" / "settings.py")
    assert named <= there | variables | OTHERS
