"""A project knows its template, and cruft brings it what is new there."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from baking import TEMPLATE, TREE, Kitchen, run

AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
NEW_FILTER = """
def shouted(text: str) -> str:
    return text.upper()


class Answers"""


def commit(folder: Path) -> None:
    run("git", "add", ".", cwd=folder)
    run("git", *AUTHOR, "commit", "--quiet", "-m", "Go on", cwd=folder)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text, path
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture
def template(kitchen: Kitchen, tmp_path: Path) -> Path:
    """The template in a repository of its own."""
    folder = tmp_path / "template"
    shutil.copytree(kitchen.template, folder)
    run("git", "init", "--quiet", cwd=folder)
    commit(folder)
    return folder


@pytest.mark.parametrize(
    "with_demo",
    [
        pytest.param(True, marks=pytest.mark.deep, id="demo"),
        pytest.param(False, id="no demo"),
    ],
)
def test_an_update_arrives_and_leaves_alone_what_is_not_the_templates(
    template: Path, tmp_path: Path, with_demo: bool
) -> None:
    answers = {
        "project_slug": "kept",
        "include_chat_demo": with_demo,
        "install_now": not with_demo,
    }
    make = ("--no-input", "--default-config", "--extra-context", json.dumps(answers))
    run("cruft", "create", template, *make, cwd=tmp_path)
    project = tmp_path / "kept"
    run("uv", "lock", "--quiet", cwd=project)
    run("git", "init", "--quiet", cwd=project)
    edit(project / "README.md", "## Start", "Our own words.\n\n## Start")
    (project / ".env").write_text("SECRET_KEY=ours\nDEBUG=true\n")
    commit(project)
    ours = {name: (project / name).read_bytes() for name in (".env", "uv.lock")}
    run("cruft", "check", cwd=project)

    edit(tree_of(template) / "README.md", "## Test", "New advice.\n\n## Test")
    edit(tree_of(template) / ".env.example", "DEBUG=true", "DEBUG=true\n# NEW=1")
    # Also in the module that the running process has read for the old version.
    answers_module = template / "cookiecutter_answers.py"
    edit(answers_module, "\nclass Answers", NEW_FILTER)
    edit(answers_module, "problems, slug):", "problems, shouted, slug):")
    news = "{{ cookiecutter.project_slug | shouted }}\n"
    (tree_of(template) / "docs" / "news.md").write_text(news)
    commit(template)

    assert run("cruft", "check", cwd=project, ok=False).returncode == 1
    run("cruft", "update", "--skip-apply-ask", cwd=project)
    run("cruft", "check", cwd=project)
    readme = (project / "README.md").read_text("utf-8")
    assert "Our own words.\n\n## Start" in readme
    assert "New advice.\n\n## Test" in readme
    assert (project / "docs" / "news.md").read_text() == "KEPT\n"
    assert {name: (project / name).read_bytes() for name in ours} == ours
    changed = run("git", "status", "--porcelain", cwd=project).stdout.split("\n")
    assert {line[3:] for line in changed if line} == {
        *(".cruft.json", ".env.example", "README.md", "docs/news.md")
    }
    assert (project / "apps" / "chat").exists() == with_demo


def tree_of(template: Path) -> Path:
    return template / TREE.name


def test_a_project_says_which_version_made_it(kitchen: Kitchen) -> None:
    declared = tomllib.loads((TEMPLATE / "pyproject.toml").read_text("utf-8"))
    version = declared["project"]["version"]
    assert (
        json.loads((TEMPLATE / "cookiecutter.json").read_text())["__version"] == version
    )
    headings = re.findall(r"^## (\S+)", (TEMPLATE / "CHANGELOG.md").read_text(), re.M)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert released[:1] in ([], [version])
    readme = (kitchen.write({}) / "README.md").read_text("utf-8")
    assert f"Made by cookiecutter-django-channels {version}." in readme
