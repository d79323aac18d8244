"""The CI of a new project is green at its first push, on PostgreSQL and Redis."""

from pathlib import Path

import jobs
import pytest
from baking import Answers, Kitchen, Variables, assert_all_passed, run

READERS = {"github": jobs.github, "gitlab": jobs.gitlab}
ANSWERS: dict[str, Answers] = {
    "github": {"chat_client": "javascript", "asgi_server": "uvicorn"},
    "gitlab": {"include_chat_demo": False, "asgi_server": "uvicorn"},
}


@pytest.fixture
def services(postgres: dict[str, str], redis_url: str) -> dict[str, str]:
    return {**postgres, "REDIS_URL": redis_url}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "ci", ["github", pytest.param("gitlab", marks=pytest.mark.deep)]
)
def test_every_job_passes(
    kitchen: Kitchen,
    tmp_path: Path,
    mypy_cache: Variables,
    services: Variables,
    ci: str,
) -> None:
    project = kitchen.bake({"ci": ci, **ANSWERS[ci]})
    checkout = push(project.path, tmp_path)
    machine = {**mypy_cache, "UV_PROJECT_ENVIRONMENT": str(project.venv)}
    passed = set()
    for line in READERS[ci](checkout):
        if line.job == "tests":
            assert {"DATABASE_URL", "REDIS_URL"} <= set(line.env)
        if jobs.ELSEWHERE.match(line.text):
            continue
        printed = jobs.carry_out(line, checkout, machine, services)
        if "pytest" in line.text:
            assert_all_passed(printed)
        passed.add(line.job)
    assert passed == {"lint", "types", "tests", "browser", "audit"}


def push(project: Path, folder: Path) -> Path:
    """Commit what `git add` takes of a project, and check it out as CI does."""
    run("uv", "lock", "--quiet", cwd=project)
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    run("git", "init", "--quiet", cwd=project)
    run("git", "add", ".", cwd=project)
    run("git", *author, "commit", "--quiet", "-m", "Begin", cwd=project)
    run("git", "clone", "--quiet", project, "checkout", cwd=folder)
    return folder / "checkout"
