"""Installing, in folders and shells that are not empty."""

import os
import re
from pathlib import Path

import pytest
from baking import Kitchen, run

# Each of these means something in URLs, shells, patterns or formats.
ODD = "My C# code, 50%20 \"q\" 'é'? $HOME [a] {b} *&+~;"


def test_a_project_has_its_own_database_wherever_it_lies(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    output = kitchen.folder() / ODD
    output.mkdir()
    elsewhere = tmp_path / "other.sqlite3"
    shell = {
        "DATABASE_URL": f"sqlite:///{elsewhere}",
        "DEBUG": "app:*",
        "DJANGO_SETTINGS_MODULE": "other.settings",
        "PYTHONPATH": str(tmp_path),
        "PYTHONSAFEPATH": "1",
        "UV_LOCKED": "1",
        "UV_PROJECT_ENVIRONMENT": str(tmp_path / "venv"),
    }
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "__init__.py").write_text("raise RuntimeError")

    done = kitchen.cookiecutter("--no-input", output=output, env=shell)

    project = output / "my_project"
    assert f"Ready. The database is {project / 'db.sqlite3'}\n" in done.stdout
    assert (project / "db.sqlite3").stat().st_size
    assert (project / ".venv").exists()
    assert sorted(path.name for path in output.parent.iterdir()) == [ODD]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config"]
    # Its tools work there.
    venv = project / ".venv" / "bin"
    run(venv / "ruff", "format", "--check", "--no-cache", cwd=project)
    run(venv / "pytest", "-q", "apps/web", cwd=project)
    run(venv / "python", *("manage.py", "test", "--parallel", "2"), cwd=project)
    # What is typed next sees the shell.
    own = "DATABASE_URL, DEBUG, DJANGO_SETTINGS_MODULE, PYTHONSAFEPATH"
    assert f"This shell sets {own}. That" in done.stdout
    assert "workspace" not in done.stdout


def test_a_database_that_does_not_answer_is_told(kitchen: Kitchen) -> None:
    project = kitchen.write({"database": "postgresql"})
    env = project / ".env"
    url = "DATABASE_URL=postgres://nobody@127.0.0.1:9/nothing"
    env.write_text(re.sub(r"(?m)^DATABASE_URL=.*$", url, env.read_text()))

    done = kitchen.cookiecutter(
        *("--no-input", "--overwrite-if-exists", "database=postgresql"),
        output=project.parent,
        env={"PGHOSTADDR": "127.0.0.2", "PGPORT": "99"},  # of another server
    )

    assert "The database could not be set up" in done.stdout
    assert 'connection to server at "127.0.0.1", port 9 failed' in done.stderr
    assert "uv run python manage.py migrate" in done.stdout
    assert "Ready" not in done.stdout
    assert "This shell" not in done.stdout
    assert (project / ".venv").exists()


def test_a_database_that_is_nowhere_is_told(kitchen: Kitchen, tmp_path: Path) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\n")  # it says that all is well, and does nothing
    uv.chmod(0o755)

    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = kitchen.cookiecutter("--no-input", env={"PATH": path})

    assert "The database is not where the settings have it." in done.stdout
    assert "Set DATABASE_URL in .env:" in done.stdout
    assert "Ready" not in done.stdout


def test_a_member_of_a_workspace_is_told_how_to_have_a_lock(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    root = tmp_path / "pyproject.toml"
    workspace = '[tool.uv.workspace]\nmembers = ["*"]\n'
    root.write_text(workspace)

    done = kitchen.cookiecutter("--no-input", output=tmp_path)

    project = tmp_path / "my_project"
    assert f"Ready. The database is {project / 'db.sqlite3'}\n" in done.stdout
    assert f"a member of the uv workspace in {tmp_path}," in done.stdout
    assert "`exclude`" in done.stdout
    assert not (project / "uv.lock").exists()
    # It is true, and what is said helps.
    root.write_text(f'{workspace}exclude = ["my_project"]\n')
    run("uv", "lock", "--offline", cwd=project)
    assert (project / "uv.lock").exists()


@pytest.mark.parametrize("between", [os.pathsep, "\t", "\n"])
def test_a_folder_whose_scripts_would_not_run_is_told(
    kitchen: Kitchen, between: str
) -> None:
    output = kitchen.folder() / f"a{between}b"
    output.mkdir()

    done = kitchen.cookiecutter("--no-input", output=output)

    assert f"with “{os.pathsep}”, a tab or a line break in its name" in done.stdout
    assert (output / "my_project" / "manage.py").exists()
    assert not (output / "my_project" / ".venv").exists()


@pytest.mark.parametrize("name", ["{{ours}}", "a {% b", "{#c"])
def test_a_folder_that_cookiecutter_takes_for_jinja_is_refused(
    kitchen: Kitchen, name: str
) -> None:
    output = kitchen.folder() / name
    output.mkdir()

    done = kitchen.cookiecutter("--no-input", output=output, ok=False)

    assert done.returncode == 1
    assert f"in the path {output / 'my_project'} is Jinja" in done.stderr
    assert list(output.iterdir()) == []
