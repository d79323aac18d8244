"""VS Code and PyCharm need no set-up: what they read is there, and right."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from baking import Kitchen, run


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Path:
    return kitchen.write({})


def test_vscode_finds_interpreter_tests_and_server(project: Path) -> None:
    folder = project / ".vscode"
    read = {path.stem: json.loads(path.read_text()) for path in folder.iterdir()}
    assert set(read) == {"extensions", "launch", "settings"}
    assert read["settings"]["python.testing.pytestEnabled"] is True
    here = "${workspaceFolder}/"
    assert read["settings"]["python.defaultInterpreterPath"] == f"{here}.venv"
    formatter = read["settings"]["[python]"]["editor.defaultFormatter"]
    assert formatter in read["extensions"]["recommendations"]
    (server,) = read["launch"]["configurations"]
    assert (project / server["program"].removeprefix(here)).is_file()
    assert server["args"] == ["runserver"]


def test_pycharm_finds_the_server(project: Path) -> None:
    # The project's own file.
    tree = ET.parse(project / ".run" / "runserver.run.xml")  # noqa: S314
    options = {o.get("name"): o.get("value") for o in tree.iter("option")}
    script = str(options["SCRIPT_NAME"]).removeprefix("$PROJECT_DIR$/")
    assert (project / script).is_file()
    assert options["PARAMETERS"] == "runserver"


def test_both_are_committed(project: Path) -> None:
    run("git", "init", "--quiet", cwd=project)
    run("git", "add", ".", cwd=project)
    added = run("git", "ls-files", ".vscode", ".run", cwd=project).stdout.split()
    assert len(added) == 4
