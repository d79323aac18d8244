"""The demo goes by what the README tells to type, and leaves nothing behind."""

import re
from pathlib import Path

import pytest
from baking import Kitchen, assert_all_passed
from readmes import code, section, type_in
from sites import CLIENTS

# Files that work on a project leaves behind, and the parts of `startsocket`.
MADE = re.compile(r"sqlite3|_cache|__pycache__|uv\.lock|channels_live/startsocket/")


@pytest.mark.parametrize("chat_client", CLIENTS)
def test_removing_the_demo(kitchen: Kitchen, chat_client: str, is_deep: bool) -> None:
    project = kitchen.bake({"chat_client": chat_client, "domain_name": "chat.example"})
    path = project.path
    env = {"UV_PROJECT_ENVIRONMENT": str(project.venv), "UV_NO_SYNC": "1"}
    project.manage("migrate")
    (block,) = code(section(path / "README.md", "Remove the chat demo"), "sh")
    for found in reversed(
        re.findall(r"^([\w./]+):(\d+):", type_in(block, path, env), re.M)
    ):
        delete_line(path / found[0], int(found[1]))
    delete_section(path / "README.md", "Remove the chat demo")
    project.run("ruff", "format", "--no-cache")
    project.run("ruff", "check", "--no-cache")
    assert "No changes detected" in project.manage("makemigrations", "--check")
    if is_deep and chat_client == "htmx":  # or else that of a project without it is run
        done = project.run("pytest", "-q", "-p", "no:cacheprovider")
        assert_all_passed(done.stdout)
    # It is what a project without the demo is: no comment stays, and no row of a table.
    without = kitchen.write({"include_chat_demo": False, "domain_name": "chat.example"})
    mine, theirs = lines_of(path), lines_of(without)
    assert sorted(mine) == sorted(theirs)
    for name in mine:
        assert mine[name] == theirs[name], name


def delete_line(file: Path, number: int) -> None:
    lines = file.read_text("utf-8").splitlines(keepends=True)
    del lines[number - 1]
    file.write_text("".join(lines), "utf-8")


def delete_section(readme: Path, heading: str) -> None:
    text = readme.read_text("utf-8")
    readme.write_text(text.replace(f"## {heading}\n{section(readme, heading)}", ""))


def lines_of(project: Path) -> dict[Path, list[bytes]]:
    """What stands in a project's files, but for gaps, keys and parts of startsocket."""
    return {
        file: [
            line
            for line in (project / file).read_bytes().splitlines()
            if line.strip() and not line.startswith(b"SECRET_KEY=")
        ]
        for path in project.rglob("*")
        if path.is_file() and not MADE.search(str(file := path.relative_to(project)))
    }
