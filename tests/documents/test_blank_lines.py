"""Blank lines are around tables, headings and code, whatever is answered.

Jinja takes line ends away with its tags, and all blank lines after a line statement.
"""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from baking import TEMPLATE, TREE, Answers, committed
from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import create_env_with_context
from jinja2 import Environment

# All answers that decide which lines there are.
CHOICES: dict[str, list[Any]] = {
    "description": ["", "A site."],
    "include_chat_demo": [True, False],
    "chat_client": ["htmx", "javascript"],
    "database": ["sqlite", "postgresql"],
    "asgi_server": ["daphne", "uvicorn"],
    "ci": ["github", "gitlab", "none"],
}
DECLARED = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
PAGES = [path for path in committed() if TREE in path.parents and path.suffix == ".md"]

Oven = tuple[Answers, Environment]


@pytest.fixture(scope="module")
def ovens() -> list[Oven]:
    """Cookiecutter's own Jinja for each combination of answers."""
    made: list[Oven] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TEMPLATE)  # where its extension is
        for row in product(*CHOICES.values()):
            answers = dict(zip(CHOICES, row, strict=True))
            given = {"cookiecutter": DECLARED | answers}
            context = {"cookiecutter": prompt_for_config(given, no_input=True)}
            jinja = create_env_with_context(context)
            jinja.globals.update(context)
            made.append((answers, jinja))
    return made


def render(path: Path, ovens: list[Oven]) -> Iterator[tuple[Answers, str]]:
    """What a file is with each combination."""
    source = path.read_text("utf-8")
    if str(path.relative_to(TREE)) in DECLARED["_copy_without_render"]:
        yield {}, source
    else:
        for answers, jinja in ovens:
            yield answers, jinja.from_string(source).render()


def kinds(text: str) -> Iterator[tuple[str, str]]:
    """Each line of Markdown, and what it is: code, a heading, a table, or text."""
    is_code = False
    for line in text.splitlines():
        is_fence = line.lstrip().startswith("```")
        if is_code or is_fence:
            is_code ^= is_fence
            yield "code" if is_code or not is_fence else "end", line
        elif line.startswith("#"):
            yield "heading", line
        else:
            yield "table" if line.startswith("|") else "text", line


def stuck(text: str) -> list[str]:
    """The lines that lack a blank line above them."""
    found = []
    before, above = "text", ""
    for kind, line in kinds(text):
        is_other = kind != before or "heading" in {kind, before}
        is_inside = before == "code" and kind in {"code", "end"}
        if line and above and is_other and not is_inside:
            found.append(line)
        before, above = kind, line
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_table_heading_or_code_touches_a_text(ovens: list[Oven], path: Path) -> None:
    for answers, text in render(path, ovens):
        assert stuck(text) == [], answers
        assert "\n\n\n" not in re.sub(r"```.*?```", "code", text, flags=re.S), answers


def test_each_comment_about_variables_begins_a_paragraph(ovens: list[Oven]) -> None:
    for answers, text in render(TREE / ".env.example", ovens):
        assert not re.findall(r"=.*\n(# \S.*)", text), answers


def test_what_touches_a_text_is_found() -> None:
    assert stuck("# A\n\ntext\n\n| a |\n|---|\n\n```sh\na\n\nb\n```\n\n- b\n") == []
    assert stuck("# A\ntext\n| a |\ntext\n```sh\na\n```\nb\n## B\n") == [
        *("text", "| a |", "text", "```sh", "b", "## B")
    ]
