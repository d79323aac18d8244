"""The rules for answers, and the escaping of those that pass."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from baking import LIMIT, TEMPLATE, Kitchen, as_options, environment
from cookiecutter.utils import create_env_with_context
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import cookiecutter_answers
from cookiecutter_answers import RESERVED, is_line, literal, markdown, problems, slug

GOOD = {
    "project_name": "My Project",
    "project_slug": "my_project",
    "description": "",
    "author_name": "",
    "author_email": "",
    "domain_name": "example.com",
    "timezone": "UTC",
}
BAD = [
    ("project_name", "", "must not be empty"),
    ("project_name", " \u3000", "must not be empty"),
    ("project_name", "two\nlines", "must be a single line"),
    ("project_name", "nul\x00", "must be a single line"),
    ("description", "tab\tbed", "must be a single line"),
    ("description", "\u2028", "must be a single line"),
    ("author_name", "lone \udcff surrogate", "must be a single line"),
    ("author_email", "a\x7f@example.com", "must be a single line"),
    *(
        ("project_slug", wrong, "is no usable Python identifier")
        for wrong in (
            *("", " ", "my-project", "my project", "2fast", "a.b", "café", "日本"),
            *("../x", "/x", "a/b/c", "a\\b", ".", "..", "_x", "x_", "class"),
            *("None", "x\n"),
        )
    ),
    *(
        ("project_slug", taken, "is taken")
        for taken in (
            *("apps", "channels", "channels_redis", "config", "django", "Django"),
            *("email", "json", "manage", "psycopg", "pytest", "static", "test"),
        )
    ),
    ("project_slug", "con", "is the name of a device"),
    ("project_slug", "x" * 61, "is longer than 60 characters"),
    *(
        ("timezone", wrong, "is no time zone")
        for wrong in ("", "Mars/Olympus", "Europe", "../UTC", "/etc/passwd", "a\x00b")
    ),
    *(
        ("domain_name", wrong, "is no host name")
        for wrong in (
            *("", "https://example.com", "example.com:80", "example.com/x", "a b"),
            *("-a.example", "a-.example", "a..example", ".example", "example."),
            *(
                "bücher.example",
                "x_y.example",
                "*.example.com",
                "a'b",
                f"{'a' * 64}.de",
            ),
        )
    ),
    ("domain_name", f"{'a.' * 50}de", "is longer than 100 characters"),
    *(
        ("author_email", wrong, "is no e-mail address")
        for wrong in (
            *("ada", "ada@", "@example.com", "a b@example.com", "a@b@c"),
            *('"ada"@example.com', "Ada <ada@example.com>", "ada@exa mple.com"),
        )
    ),
]


def test_good_answers_have_no_problems() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(("name", "answer", "sentence"), BAD)
def test_a_bad_answer_gets_one_clear_sentence(
    name: str, answer: str, sentence: str
) -> None:
    found = [text for text in problems(GOOD | {name: answer}) if sentence in text]
    assert len(found) == 1
    assert found[0].startswith(name)
    assert found[0].endswith(".")
    assert found[0].isascii()
    assert found[0].isprintable()


def test_each_bad_answer_gets_its_own_sentence() -> None:
    answers = GOOD | {"project_name": "", "project_slug": "", "timezone": ""}
    assert len(problems(answers)) == 3


def test_every_dependency_and_top_level_module_is_reserved(kitchen: Kitchen) -> None:
    project = kitchen.write({"chat_client": "htmx", "asgi_server": "uvicorn"})
    declared = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    requirements = declared["project"]["dependencies"]
    requirements += declared["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=~! ]", text)[0] for text in requirements}
    modules = [
        path for path in project.iterdir() if path.is_dir() or path.suffix == ".py"
    ]
    names |= {path.stem for path in modules if path.stem.isidentifier()}
    assert {name.replace("-", "_") for name in names} <= RESERVED


@given(st.text(min_size=1, max_size=300))
def test_the_default_slug_of_any_name_is_good(name: str) -> None:
    assert problems(GOOD | {"project_slug": slug(name)}) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My Project", "my_project"),
        ("Grüße", "grusse"),
        ("日本", "ri_ben"),
        ("😀", "my_project"),
        ("3D Chess", "project_3d_chess"),
        ("Django", "django_project"),
        ("class", "class_project"),
    ],
)
def test_the_default_slug_follows_the_name(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.text())
def test_a_literal_is_read_back_by_python_and_toml(text: str) -> None:
    quoted = f'"{literal(text)}"'
    assert ast.literal_eval(quoted) == text
    if is_line(text):
        assert tomllib.loads(f"x = {quoted}") == {"x": text}


LINES = st.text("ab 1.)-+=*_~`#>!&$|:[](){}<>\\\"'/@", min_size=1).map(str.strip)


@given(LINES.filter(bool))
@example("- a")
@example("1. a")
@example("1) a")
@example("+")
@example("---")
@example("a  b")
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    for before, block in (("", "paragraph"), ("# ", "heading")):
        source = before + markdown(text)
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(source)
        types = [token.type for token in tokens]
        assert types == [f"{block}_open", "inline", f"{block}_close"]
        shown = tokens[1].children or []
        assert {token.type for token in shown} <= {"text", "text_special"}
        # Browsers show several spaces as one.
        found = "".join(one.content for one in shown)
        assert found.split() == text.split()


@given(st.dictionaries(st.text(), st.text() | st.booleans()))
def test_any_answer_reaches_the_hooks(answers: dict[str, str | bool]) -> None:
    # The line of the real hook, rendered as cookiecutter does it.
    hook = (TEMPLATE / "hooks" / "post_gen_project.py").read_text()
    (line,) = re.findall(r"^ANSWERS = (.*)$", hook, re.MULTILINE)
    context = {"cookiecutter": answers}
    rendered = create_env_with_context({}).from_string(line).render(**context)
    assert eval(rendered, {"json": json}) == answers  # noqa: S307


def test_the_module_is_part_of_the_template() -> None:
    # Not another one that happens to be installed.
    assert Path(cookiecutter_answers.__file__).parent == TEMPLATE


@pytest.mark.parametrize(
    ("name", "answer", "sentence"),
    [
        ("project_name", "", "must not be empty"),
        ("project_slug", "", "is no usable Python identifier"),
        ("project_slug", "../x", "is no usable Python identifier"),
        ("project_slug", "a/b/c", "is no usable Python identifier"),
        ("project_slug", "my-project", "is no usable Python identifier"),
        ("project_slug", "django", "is taken"),
        ("timezone", "Mars/Olympus", "is no time zone"),
        ("domain_name", "https://x", "is no host name"),
        ("author_email", "ada", "is no e-mail address"),
        ("description", "two\nlines", "must be a single line"),
    ],
)
def test_cookiecutter_says_the_sentence_and_leaves_nothing(
    kitchen: Kitchen, name: str, answer: str, sentence: str
) -> None:
    around = kitchen.folder()
    output = around / "out"
    output.mkdir()
    done = kitchen.cookiecutter(
        "--no-input", *as_options({name: answer}), output=output, ok=False
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert sentence in done.stderr
    assert done.stdout == ""
    assert [path.name for path in around.rglob("*")] == ["out"]


def test_a_bad_answer_is_asked_for_again_and_no_other(kitchen: Kitchen) -> None:
    terminal, stdin = os.openpty()
    output = kitchen.folder()
    answers = ["Ours", "my-project", "", "Ada", "ada", "ours.example", "Mars"]
    again = ["ours", "ada@ours.example", "still Mars", "Europe/Berlin"]
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "cookiecutter", kitchen.template),
            *("--config-file", kitchen.config, "-o", output),
        ],
        env=environment({}),
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        lines = [*answers, *[""] * 6, "no", *again]
        os.write(terminal, "".join(f"{line}\n" for line in lines).encode())
        said, _ = process.communicate(timeout=LIMIT)
        os.close(terminal)

    assert process.returncode == 0
    assert said.count("is no time zone") == 2
    (written,) = output.iterdir()
    settings = (written / "config" / "settings.py").read_text()
    assert (written.name, 'TIME_ZONE = "Europe/Berlin"' in settings) == ("ours", True)
    assert "ada@ours.example" in (written / "pyproject.toml").read_text()


def test_a_replay_with_a_bad_answer_is_refused_too(kitchen: Kitchen) -> None:
    kitchen.generate({})
    (replay,) = (kitchen.own / "replay").iterdir()
    context = json.loads(replay.read_text())
    context["cookiecutter"]["project_slug"] = "my-project"
    edited = kitchen.folder() / "edited.json"
    edited.write_text(json.dumps(context))
    output = kitchen.folder()
    done = kitchen.cookiecutter("--replay-file", edited, output=output, ok=False)
    assert done.returncode == 1
    assert "project_slug 'my-project' is no usable Python identifier" in done.stderr
    assert list(output.iterdir()) == []
