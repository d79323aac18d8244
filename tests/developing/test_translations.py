"""Every word is marked, translated and compiled."""

import gettext
import os
import re
import shutil
from pathlib import Path

import pytest
from baking import TREE, Kitchen, Project, run
from programs import find_program

IN_ENGLISH = {"LC_ALL": "C"}

# What in a page is no word, or is marked: the first ones stand inside the later ones.
MARKED = re.compile(
    r"\{% blocktranslate.*?\{% endblocktranslate %\}|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}",
    re.S,
)
SEEN = "alt|aria-label|placeholder|title"  # attributes that are words
SILENT = re.compile(
    rf'<code>.*?</code>|<!doctype html>|(?<![\w-])(?!(?:{SEEN})=)[\w-]+="[^"]*"', re.S
)
WORDS = re.compile(rf'(?<![\w-])(?:{SEEN})="([^"]*)"|>([^<>]+)<')
# Names, units and signs.
UNMARKED = {"WebSocket", "↓", "·"}

# Where Python has words for people, and JavaScript.
PYTHON = re.compile(
    r"(?:ValidationError|Flood|InvalidFrame|label=|verbose_name=)\(?f?['\"]"
)
JAVASCRIPT = re.compile(
    r"[\"'`](?:[A-Z][a-z]+|[^\"'`\n]*[a-z]{2}[.,]? [a-z]{2})[^\"'`\n]*[\"'`]"
)
KEYS = {'"Enter"'}


@pytest.fixture(scope="module")
def tree(kitchen: Kitchen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template's tree, with the files of both clients, to write into."""
    find_program("xgettext")
    find_program("msgfmt")
    copy = tmp_path_factory.mktemp("tree") / "project"
    shutil.copytree(kitchen.template / TREE.name, copy)
    return copy


def catalogs(tree: Path) -> list[Path]:
    found = sorted(tree.rglob("locale/de/LC_MESSAGES/django.po"))
    assert len(found) > 3
    return found


def test_every_marked_word_has_its_german(tree: Path, plain_project: Project) -> None:
    command = ("-m", "django", "makemessages", "--locale", "de", "--no-location")
    run(plain_project.python, *command, cwd=tree)
    for path in catalogs(tree):
        checked = run(
            *("msgfmt", "--check-format", "--statistics", "-o", os.devnull, path),
            cwd=tree,
            env=IN_ENGLISH,
        )
        # Of fuzzy and untranslated ones it would tell, too.
        assert re.fullmatch(r"\d+ translated messages?\.\n", checked.stderr), (
            f"{path.relative_to(tree)}: {checked.stderr}`make messages` adds them."
        )
        assert "#~" not in path.read_text("utf-8"), "`make messages` removes them."


def test_the_compiled_catalogs_are_what_their_sources_say(
    tree: Path, tmp_path: Path
) -> None:
    for source in catalogs(TREE):
        run("msgfmt", "-o", tmp_path / "django.mo", source, cwd=tree)
        assert read(source.with_suffix(".mo")) == read(tmp_path / "django.mo"), (
            f"{source.relative_to(TREE)}: `make messages` compiles it."
        )


def read(compiled: Path) -> dict[object, str]:
    with compiled.open("rb") as file:
        catalog: dict[object, str] = vars(gettext.GNUTranslations(file))["_catalog"]
    del catalog[""]  # when it was made, and with what
    return catalog


def test_no_page_has_a_word_that_is_not_marked() -> None:
    for path in TREE.rglob("*.html"):
        if "tests" not in path.parts:
            page = SILENT.sub("", MARKED.sub("", f">{path.read_text('utf-8')}<"))
            seen = {text.strip() for found in WORDS.findall(page) for text in found}
            unmarked = {
                text for text in seen if re.search(r"[^\W\d]{2}", text)
            } - UNMARKED
            assert not unmarked, path.relative_to(TREE)


def test_no_script_has_a_word_of_its_own() -> None:
    for path in TREE.rglob("static/**/*.js"):
        code = re.sub(
            r"^\s*//.*|\s// .*$|\"use strict\";",
            "",
            path.read_text("utf-8"),
            flags=re.M,
        )
        found = set(JAVASCRIPT.findall(code)) - KEYS
        assert not found, path.relative_to(TREE)


def test_no_error_and_no_label_is_unmarked() -> None:
    for path in (TREE / "apps").rglob("*.py"):
        if not {"tests", "migrations"} & set(path.parts):
            assert not PYTHON.findall(path.read_text("utf-8")), path.relative_to(TREE)
