"""What is in the template, and what of it ends up in a project."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from baking import TEMPLATE, TREE, Kitchen, committed, run

# Split, so that this file does not name what it looks for.
NAMES = ("py" + r"pi\.org", "python" + "hosted", "npm" + "js")
REGISTRIES = re.compile("|".join(NAMES))
WINDOWS_CANNOT = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$')


def test_the_template_lints_and_is_formatted_where_it_lies() -> None:
    run("ruff", "check", "--no-cache", cwd=TEMPLATE)
    run("ruff", "format", "--check", "--no-cache", cwd=TEMPLATE)
    assert any(TREE in path.parents for path in ruff_sees())


def ruff_sees() -> list[Path]:
    done = run("ruff", "check", "--show-files", cwd=TEMPLATE)
    return [Path(line) for line in done.stdout.splitlines()]


def test_every_path_is_possible_on_windows() -> None:
    for path in committed():
        relative = path.relative_to(TEMPLATE)
        assert not path.is_symlink(), relative
        for part in relative.parts:
            assert not WINDOWS_CANNOT.search(part), relative
    lower = [str(path).lower() for path in committed()]
    assert len(lower) == len(set(lower))


def test_no_committed_file_names_a_package_registry() -> None:
    for path in committed():
        assert not REGISTRIES.search(path.read_text("utf-8", errors="replace")), path
        assert path.name != "uv.lock"


@pytest.mark.parametrize("chat_client", ["htmx", "javascript"])
def test_without_the_demo_not_a_word_of_it_is_left(
    kitchen: Kitchen, chat_client: str
) -> None:
    project = kitchen.write({"include_chat_demo": False, "chat_client": chat_client})
    kitchen.venv_for(project)  # which also writes the lock file
    (project / ".env").unlink()  # its random key may hold any word
    done = run("grep", "-ri", "chat", ".", cwd=project, ok=False)
    assert done.stdout == ""
    names = [str(path.relative_to(project)) for path in project.rglob("*")]
    assert not [name for name in names if "chat" in name.lower()]
    declared = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    assert not [text for text in declared["project"]["dependencies"] if "htmx" in text]
    assert lines_about_htmx(project) == ""


def test_each_client_is_complete_without_the_other(kitchen: Kitchen) -> None:
    htmx = kitchen.write({"chat_client": "htmx"})
    javascript = kitchen.write({"chat_client": "javascript"})
    for project in (htmx, javascript):
        names = [path.name for path in project.rglob("*")]
        assert not [n for n in names if ".htmx." in n or ".javascript." in n]
    assert lines_about_htmx(javascript) == ""
    assert run("grep", "-rli", "htmx", "apps", cwd=htmx).stdout


def lines_about_htmx(project: Path) -> str:
    """Those of the project's own. The library works beside HTMX in every project.

    Whoever adds HTMX finds in docs/realtime.md what to know.
    """
    options = ("-ri", "--exclude-dir=channels_live", "--exclude=realtime.md")
    return run("grep", *options, "htmx", ".", cwd=project, ok=False).stdout


def test_secrets_and_state_are_not_committed(kitchen: Kitchen) -> None:
    project = kitchen.write({})
    for name in ("db.sqlite3", "db.sqlite3-wal", "staticfiles/x.css", ".venv/x"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("")
    run("git", "init", "--quiet", cwd=project)
    run("git", "add", ".", cwd=project)
    added = run("git", "ls-files", cwd=project).stdout.splitlines()
    assert not {name.split("/")[0] for name in added} & {
        *(".env", ".venv", "db.sqlite3", "db.sqlite3-wal", "staticfiles")
    }
    assert {".env.example", ".gitignore", "manage.py", "README.md"} <= set(added)


def test_the_versions_of_python_agree(kitchen: Kitchen) -> None:
    project = kitchen.write({})
    for folder in (TEMPLATE, project):
        assert (folder / ".python-version").read_text() == "3.13\n"
        declared = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
        assert declared["project"]["requires-python"] == ">=3.12"


def test_cookiecutter_json_is_only_prompts_and_private_variables() -> None:
    declared = json.loads((TEMPLATE / "cookiecutter.json").read_text())
    assert list(declared)[:14] == [
        *("project_name", "project_slug", "description", "author_name"),
        *("author_email", "domain_name", "timezone", "include_chat_demo"),
        *("chat_client", "database", "asgi_server", "license", "ci"),
        "install_now",
    ]
    assert all(name.startswith("_") for name in list(declared)[14:])
