"""The hooks of pre-commit run without a network, and find what they are for."""

import re
from pathlib import Path

import pytest
from baking import Kitchen, Variables, run


@pytest.fixture
def env(tmp_path: Path) -> Variables:
    return {
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "SKIP": "mypy",  # CI's job "types" is the same command
        "UV_OFFLINE": "1",
        "https_proxy": "nowhere.invalid",  # who fetches something fails
    }


def test_a_new_project_passes_and_a_bad_line_does_not(
    kitchen: Kitchen, env: Variables
) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    env = {**env, "UV_PROJECT_ENVIRONMENT": str(project.venv)}
    run("uv", "lock", "--quiet", cwd=project.path)
    run("git", "init", "--quiet", cwd=project.path)
    run("git", "add", ".", cwd=project.path)
    hooks = ("uv", "run", "pre-commit", "run", "--all-files")
    done = run(*hooks, cwd=project.path, env=env)
    assert done.stdout.count("Passed") == 4
    urls = project.path / "config" / "urls.py"
    urls.write_text(f"{urls.read_text('utf-8')}\n\ndef f(x):\n    return other \n")
    run("git", "add", ".", cwd=project.path)
    done = run(*hooks, cwd=project.path, env=env, ok=False)
    failed = re.findall(r"^([a-z ,]+)\.+Failed", done.stdout, re.M)
    assert failed == ["ruff check", "no trailing whitespace, no conflict markers"]
    assert "F821 Undefined name" in done.stdout
