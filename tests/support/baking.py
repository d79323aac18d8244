"""Projects made by a real cookiecutter process, and commands run in them."""

import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from filelock import FileLock

TEMPLATE = Path(__file__).resolve().parents[2]
TREE = TEMPLATE / "{{cookiecutter.project_slug}}"

Answers = Mapping[str, str | bool]
Variables = Mapping[str, str]
NOTHING: Variables = {}
LIMIT = 600  # seconds that a command may take
# Where a project's pytest has its folders: runs at the same time would clean up after
# each other in the usual place, and warn of what another one took away first.
PYTEST_FOLDERS = TemporaryDirectory(prefix="projects-pytest-")

# A developer's own settings must not reach the projects under test.
FOREIGN = (
    "DATABASE_URL",
    "DEBUG",
    "DJANGO_SETTINGS_MODULE",
    "PYTHONPATH",
    "PYTEST_ADDOPTS",
    "PYTHONDONTWRITEBYTECODE",  # compiling Django anew takes seconds each time
    "REDIS_URL",
    "SECRET_KEY",
    "VIRTUAL_ENV",
)


def environment(env: Variables) -> dict[str, str]:
    """The environment for a command: this one's, cleaned, and the given variables."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in FOREIGN and not name.startswith(("COV_", "PYTEST_"))
    }
    return clean | {"PYTEST_DEBUG_TEMPROOT": PYTEST_FOLDERS.name} | dict(env)


def run(
    *command: str | Path, cwd: Path, env: Variables = NOTHING, ok: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `ok` asserts that it succeeded."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired as late:
        pytest.fail(f"{command} goes on after {LIMIT} s:\n{late.stdout!r}")
    if ok:
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@dataclass(frozen=True)
class Project:
    """A generated project and the shared virtual environment it runs in."""

    path: Path
    venv: Path

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    def run(
        self, *command: str, env: Variables = NOTHING, ok: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m command` in the project."""
        return run(self.python, "-m", *command, cwd=self.path, env=env, ok=ok)

    def manage(self, *command: str, env: Variables = NOTHING) -> str:
        """Run a manage.py command that must succeed; what it printed."""
        done = run(self.python, "manage.py", *command, cwd=self.path, env=env)
        return done.stdout + done.stderr


class Kitchen:
    """Bakes projects under one folder that all xdist workers share."""

    def __init__(self, shared: Path, own: Path) -> None:
        self.shared = shared
        self.template = self.clone()
        self.own = own
        self.baked = 0
        self.config = own / "cookiecutter.yaml"
        self.config.write_text(
            f"cookiecutters_dir: {own / 'cookiecutters'}\n"
            f"replay_dir: {own / 'replay'}\n"
        )

    def cookiecutter(
        self,
        *options: str | Path,
        output: Path | None = None,
        env: Variables = NOTHING,
        ok: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run cookiecutter on the template as a process of its own."""
        return run(
            *(sys.executable, "-m", "cookiecutter", self.template),
            *("--config-file", self.config, "-o", output or self.folder()),
            *options,
            cwd=self.own,
            env=env,
            ok=ok,
        )

    def clone(self) -> Path:
        """The template as git would hand it out, without anybody's caches in it."""
        clone = self.shared / "template"
        with FileLock(f"{clone}.lock"):
            if not clone.exists():
                for path in committed():
                    copy = clone / path.relative_to(TEMPLATE)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, copy)
        return clone

    def folder(self) -> Path:
        """A new, empty folder."""
        self.baked += 1
        folder = self.own / f"baked-{self.baked}"
        folder.mkdir()
        return folder

    def generate(self, answers: Answers, env: Variables = NOTHING) -> Path:
        """Generate a project, only written unless the answers say more; its folder."""
        output = self.folder()
        given = {"install_now": False, **answers}
        self.cookiecutter("--no-input", *as_options(given), output=output, env=env)
        (project,) = output.iterdir()
        return project

    def write(self, answers: Answers) -> Path:
        """A project of one's own; of the same answers, one is generated and copied."""
        name = hashlib.sha256(repr(sorted(answers.items())).encode()).hexdigest()[:12]
        original = self.shared / f"project-{name}"
        with FileLock(f"{original}.lock"):
            if not original.exists():
                self.generate(answers).parent.rename(original)
        (project,) = original.iterdir()
        return shutil.copytree(project, self.folder() / project.name)

    def bake(self, answers: Answers) -> Project:
        """A project of one's own whose dependencies are installed."""
        path = self.write(answers)
        return Project(path, self.venv_for(path))

    def venv_for(self, project: Path) -> Path:
        """The virtual environment of a dependency set, made by whoever is first."""
        wanted = "\n".join(sorted(declared(project)))
        name = hashlib.sha256(wanted.encode()).hexdigest()[:12]
        venv = self.shared / f"venv-{name}"
        complete = venv / ".complete"
        with FileLock(f"{venv}.lock"):
            if not complete.exists():
                environment = {"UV_PROJECT_ENVIRONMENT": str(venv)}
                run("uv", "sync", cwd=project, env=environment)
                complete.touch()
        return venv


def declared(folder: Path) -> list[str]:
    """The requirements of a pyproject.toml, those for building included."""
    read: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    return [
        *read["project"]["dependencies"],
        *itertools.chain(*read.get("dependency-groups", {}).values()),
        *read.get("build-system", {}).get("requires", []),
    ]


def assert_all_passed(printed: str) -> None:
    """What pytest printed says that some tests ran and all of them passed quietly."""
    assert re.search(r"\b[1-9]\d* passed", printed), printed
    assert not re.search(r"\d+ (skipped|warnings?|xfailed)", printed), printed


def committed() -> list[Path]:
    """What git tracks in the template, or would with the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=TEMPLATE, capture_output=True, check=True)
    names = os.fsdecode(listed.stdout).split("\0")[:-1]
    return sorted({TEMPLATE / name for name in names if (TEMPLATE / name).is_file()})


def as_options(answers: Answers) -> list[str]:
    """Answers as cookiecutter's command line takes them."""
    return [
        f"{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in answers.items()
    ]
