"""Drops what was not asked for, writes .env, installs, says what to run next."""

import io
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Safe for every text: see pre_gen_project.py.
ANSWERS = json.loads(r"""{{ cookiecutter | jsonify }}""")

# Path → whether it stays.
KEPT = {
    ".github": ANSWERS["ci"] == "github",
    ".gitlab-ci.yml": ANSWERS["ci"] == "gitlab",
    "apps/chat": ANSWERS["include_chat_demo"],
}
# Files named `name.<answer>.ext` come in one version for each answer. The chosen
# one loses its middle name, the others go.
VERSIONED = {
    "chat_client": ("htmx", "javascript"),
}
# What tools leave behind in a template that is worked on.
STRAY = ("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache")
VERSIONED_FOLDERS = ("apps", "static", "templates")
LICENSES = ("MIT", "BSD-3-Clause", "Apache-2.0", "GPL-3.0-or-later")

PROJECT = Path.cwd()

INSTALL = ["uv", "sync"]
MIGRATE = ["uv", "run", "python", "manage.py", "migrate"]
START = ["uv", "run", "python", "manage.py", "runserver"]


def main() -> None:
    drop_what_was_not_asked_for()
    choose_versions()
    choose_license()
    if is_only_compared():
        return
    write_env()
    if not ANSWERS["install_now"]:
        tell("Written. To install and start it:", INSTALL, MIGRATE, START)
    elif not runs(["uv", "--version"], quietly=True):
        tell(
            "No working uv was found, so nothing is installed. README.md has the "
            "commands for plain pip; with uv they are:",
            INSTALL,
            MIGRATE,
            START,
        )
    elif not install():
        tell(
            "The installation failed, for the reason above. The files are complete; "
            "to go on by hand:",
            INSTALL,
            MIGRATE,
            START,
        )
    elif not runs(MIGRATE):
        tell(
            "The database could not be set up, for the reason above. Once it answers "
            "at the DATABASE_URL of .env:",
            MIGRATE,
            START,
        )
    else:
        tell("Ready. To start it:", START)


def drop_what_was_not_asked_for() -> None:
    for name, stays in KEPT.items():
        if not stays:
            remove(PROJECT / name)
    for name in STRAY:
        for path in list(PROJECT.rglob(name)):
            remove(path)


def choose_versions() -> None:
    for variable, versions in VERSIONED.items():
        for version in versions:
            for folder in VERSIONED_FOLDERS:
                for path in sorted((PROJECT / folder).rglob(f"*.{version}.*")):
                    if version == ANSWERS[variable]:
                        path.replace(
                            path.with_name(path.name.replace(f".{version}.", "."))
                        )
                    else:
                        remove(path)


def choose_license() -> None:
    for name in LICENSES:
        path = PROJECT / f"LICENSE.{name}"
        if name == ANSWERS["license"]:
            path.replace(PROJECT / "LICENSE")
        else:
            remove(path)


def is_only_compared() -> bool:
    """Whether cruft renders a version of the template to see what it changed.

    It does so in a temporary folder, where secrets and an installation would count
    as changes.
    """
    grandparent = PROJECT.parent.parent
    return "_commit" in ANSWERS and grandparent.samefile(tempfile.gettempdir())


def write_env() -> None:
    """Write .env from .env.example, unless an earlier generation wrote one."""
    env = PROJECT / ".env"
    if env.exists():
        return
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    secret_key = f"SECRET_KEY={secrets.token_urlsafe(50)}"
    filled, found = re.subn(r"(?m)^#? ?SECRET_KEY=.*$", secret_key, example, count=1)
    env.write_text(
        filled if found else f"{secret_key}\n{example}", encoding="utf-8", newline="\n"
    )
    env.chmod(0o600)


def install() -> bool:
    print("Installing; the first time this takes a while.", flush=True)
    return runs([*INSTALL, "--quiet"])


def runs(command: list[str], *, quietly: bool = False) -> bool:
    """Run a command in the project; whether it succeeded."""
    output = subprocess.DEVNULL if quietly else None
    # The environment that cookiecutter runs in is not the project's.
    environment = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    try:
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def tell(sentence: str, *commands: list[str]) -> None:
    # A console of Windows may have no way to write the folder's name.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    print(f"\n{sentence}\n")
    for command in (["cd", str(PROJECT)], *commands):
        print(f"    {as_typed(command)}")
    print("\nThen open http://localhost:8000", flush=True)


def as_typed(command: list[str]) -> str:
    """A command as the shells of this system want it typed."""
    quote = subprocess.list2cmdline if os.name == "nt" else shlex.join
    return quote(command)


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
