"""What Windows asks of the template, as far as another system can tell."""

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType

import pytest
from baking import TEMPLATE, TREE, Kitchen, committed, run

LONGEST = 260  # characters of a path, unless the system is told to allow more
HOME = r"C:\Users\Somebody Longname\Documents\Projects"
SLUG = 60  # see cookiecutter_answers.py
COMMAND = ["cd", r"C:\Users\Ada Lovelace\it's here"]


@pytest.fixture
def hook(tmp_path: Path) -> ModuleType:
    """The hook as cookiecutter renders it, imported."""
    declared = json.loads((TEMPLATE / "cookiecutter.json").read_text())
    answers = {k: v[0] if isinstance(v, list) else v for k, v in declared.items()}
    source = (TEMPLATE / "hooks" / "post_gen_project.py").read_text("utf-8")
    rendered = tmp_path / "hook.py"
    rendered.write_text(
        source.replace("{{ cookiecutter | jsonify }}", json.dumps(answers))
    )
    spec = importlib.util.spec_from_file_location("hook", rendered)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_path_of_a_project_is_too_long() -> None:
    for path in committed():
        if TREE in path.parents:
            inside = path.relative_to(TREE)
            assert len(HOME) + SLUG + len(str(inside)) + 2 < LONGEST, inside


@pytest.mark.parametrize(
    ("system", "typed"),
    [
        ("nt", r'''cd "C:\Users\Ada Lovelace\it's here"'''),
        ("posix", r"""cd 'C:\Users\Ada Lovelace\it'"'"'s here'"""),
    ],
)
def test_commands_are_quoted_for_the_shell_of_the_system(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, system: str, typed: str
) -> None:
    monkeypatch.setattr(os, "name", system)
    assert hook.as_typed(COMMAND) == typed


def test_a_console_that_cannot_write_the_folders_name_does_not_end_the_hook(
    kitchen: Kitchen,
) -> None:
    output = kitchen.folder() / "日本 ✓"
    output.mkdir()
    done = kitchen.cookiecutter(
        *("--no-input", "install_now=false", "project_name=日本 ✓"),
        output=output,
        env={"PYTHONIOENCODING": "cp1252"},
    )
    (project,) = output.iterdir()
    assert (project / ".env").exists()
    assert "uv run python manage.py runserver" in done.stdout


def test_lines_end_as_on_every_system(kitchen: Kitchen) -> None:
    project = kitchen.write({})
    for folder in (TEMPLATE, project):
        rules = (folder / ".gitattributes").read_text().splitlines()
        assert "* text=auto eol=lf" in rules
    run("git", "init", "--quiet", cwd=project)
    run("git", "add", ".", cwd=project)
    listed = run("git", "ls-files", "--eol", cwd=project).stdout.splitlines()
    assert [line for line in listed if "crlf" in line] == []
