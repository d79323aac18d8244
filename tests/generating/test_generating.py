"""Generating: prompts, existing folders, replays, and installing that goes wrong."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from baking import NOTHING, TEMPLATE, TREE, Kitchen, environment, run

MANUAL = ("uv sync", "uv run python manage.py migrate", "uv run python manage.py")


def test_only_writing_files_takes_less_than_a_second_and_a_half(
    kitchen: Kitchen, note: Callable[[str], None]
) -> None:
    def spent() -> float:
        times = (
            os.times()
        )  # of the processor: other workers take their share of the clock
        return times.children_user + times.children_system

    def measure() -> float:
        start = spent()
        kitchen.cookiecutter("--no-input", "install_now=false")
        return spent() - start

    seconds = min(measure() for _ in range(3))
    assert 0 < seconds < 1.5
    note(f"generating without installing: {seconds:.2f} s of a core")


def test_every_prompt_has_a_question_and_every_choice_a_line_of_help() -> None:
    declared = json.loads((TEMPLATE / "cookiecutter.json").read_text())
    prompts = declared["__prompts__"]
    for name, default in declared.items():
        if name.startswith("_"):
            continue
        if isinstance(default, list):
            assert set(prompts[name]) == {"__prompt__", *default}
            # The answer itself stands first in its help.
            assert all(prompts[name][choice].split()[0] == choice for choice in default)
        else:
            assert prompts[name]
    assert set(prompts) == {name for name in declared if not name.startswith("_")}


def test_typed_answers_are_taken_as_they_are(kitchen: Kitchen) -> None:
    """Braces, unlike on the command line, are just text when typed."""
    name = 'Typed {{ 7 * 7 }} {% if x %} [bold]"x"\\'
    typed = [name, "typed", "{# no #} # % endif", "Ada", "", "", "Europe/Berlin"]
    typed += ["n", "2", "", "2", "5", "3", "n"]
    output = kitchen.folder()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "cookiecutter", kitchen.template),
            *("--config-file", kitchen.config, "-o", output),
        ],
        input="\n".join(typed) + "\n",
        env=environment(NOTHING),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    project = output / "typed"
    declared = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    assert declared["project"]["description"] == "{# no #} # % endif"
    settings: dict[str, object] = {}
    source = (project / "config" / "settings.py").read_text("utf-8")
    (line,) = [text for text in source.splitlines() if text.startswith("PROJECT_NAME")]
    exec(line, settings)  # noqa: S102
    assert settings["PROJECT_NAME"] == name
    assert 'TIME_ZONE = "Europe/Berlin"' in source
    assert not (project / "apps" / "chat").exists()
    assert not (project / "LICENSE").exists()


def test_a_replay_makes_the_same_project(kitchen: Kitchen) -> None:
    first = kitchen.generate({"project_name": 'Say "again" 😀', "license": "none"})
    output = kitchen.folder()
    kitchen.cookiecutter("--replay", output=output)
    (second,) = output.iterdir()
    assert files(first) == files(second)


def test_what_tools_leave_in_the_template_stays_there(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    template = tmp_path / "template"
    shutil.copytree(kitchen.template, template)
    for folder in (".ruff_cache", "apps/__pycache__"):
        leftover = template / TREE.name / folder / "x"
        leftover.parent.mkdir()
        leftover.write_bytes(b"\xa3 {{ nonsense")
    output = kitchen.folder()
    run(
        *(sys.executable, "-m", "cookiecutter", template, "--no-input", "-o", output),
        *("--config-file", kitchen.config, "install_now=false"),
        cwd=tmp_path,
    )
    assert not [*output.rglob("x")]


def test_an_existing_folder_is_left_alone(kitchen: Kitchen) -> None:
    project = kitchen.write({})
    before = files(project)
    done = kitchen.cookiecutter(
        "--no-input", "install_now=false", output=project.parent, ok=False
    )
    assert done.returncode == 1
    assert "already exists" in done.stdout + done.stderr
    assert files(project) == before


def test_generating_over_a_project_keeps_its_secrets_and_data(kitchen: Kitchen) -> None:
    project = kitchen.write({"chat_client": "htmx"})
    (project / "db.sqlite3").write_text("data")
    (project / "notes.txt").write_text("mine")
    before = files(project)
    secret = (project / ".env").read_text()
    kitchen.cookiecutter(
        *("--no-input", "--overwrite-if-exists", "install_now=false"),
        output=project.parent,
    )
    assert files(project) == before
    assert (project / ".env").read_text() == secret


def test_every_project_gets_a_secret_key_of_its_own(kitchen: Kitchen) -> None:
    keys = set()
    for _ in range(2):
        env = kitchen.generate({}) / ".env"
        lines = env.read_text().splitlines()
        keys |= {line for line in lines if line.startswith("SECRET_KEY=")}
        assert env.stat().st_mode & 0o077 == 0
    assert len(keys) == 2
    assert all(len(key) > len("SECRET_KEY=") + 50 for key in keys)


@pytest.mark.parametrize(
    "name", ["MIT", "BSD-3-Clause", "Apache-2.0", "GPL-3.0-or-later", "none"]
)
def test_a_licence_is_one_file_or_none(kitchen: Kitchen, name: str) -> None:
    project = kitchen.write({"license": name, "author_name": "Ada Lovelace"})
    found = [path.name for path in project.glob("LICENSE*")]
    assert found == ([] if name == "none" else ["LICENSE"])
    declared = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    assert declared["project"].get("license", "none") == name
    if name in {"MIT", "BSD-3-Clause"}:
        assert "Ada Lovelace" in (project / "LICENSE").read_text()


@pytest.mark.parametrize(
    "uv",
    [
        pytest.param(None, id="absent"),
        pytest.param(
            "#!/bin/sh\necho 'uv: command not found' >&2\nexit 127\n", id="shim"
        ),
        pytest.param("not a program\n", id="broken"),
    ],
)
def test_without_a_working_uv_the_files_stay(
    kitchen: Kitchen, tmp_path: Path, uv: str | None
) -> None:
    if uv is not None:
        (tmp_path / "uv").write_text(uv)
        (tmp_path / "uv").chmod(0o755)
    output = kitchen.folder()
    env = {"PATH": str(tmp_path)}
    done = kitchen.cookiecutter("--no-input", output=output, env=env)
    assert "No working uv" in done.stdout
    assert all(command in done.stdout for command in MANUAL)
    assert "Traceback" not in done.stdout + done.stderr
    assert (output / "my_project" / "manage.py").exists()


def test_without_a_network_the_files_stay(kitchen: Kitchen, tmp_path: Path) -> None:
    output = kitchen.folder()
    env = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path)}
    done = kitchen.cookiecutter("--no-input", output=output, env=env)
    assert "The installation failed" in done.stdout
    assert all(command in done.stdout for command in MANUAL)
    assert "Traceback" not in done.stdout + done.stderr
    assert (output / "my_project" / "manage.py").exists()


def files(project: Path) -> dict[str, bytes]:
    """What a project consists of, but for its secret."""
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in sorted(project.rglob("*"))
        if path.is_file() and path.name != ".env"
    }
