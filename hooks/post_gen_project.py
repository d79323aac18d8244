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
    "channels_live/servers/accepting.py": ANSWERS["asgi_server"] == "uvicorn",
    "channels_live/servers/uvicorn.py": ANSWERS["asgi_server"] == "uvicorn",
    "channels_live/servers/uvicorn_websocket.py": ANSWERS["asgi_server"] == "uvicorn",
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
PYTHON = ["uv", "run", "python"]
MIGRATE = [*PYTHON, "manage.py", "migrate"]
START = [*PYTHON, "manage.py", "runserver"]
LOCATE = """
import json
from config.settings import DATABASES
print(json.dumps([str(DATABASES["default"][key]) for key in ("ENGINE", "NAME")]))
"""

# What a shell sets for other projects, beside the variables of .env.example and PG….
OBSTACLES = {"DJANGO_SETTINGS_MODULE", "PYTHONSAFEPATH"}  # for manage.py too
FOREIGN = {
    *OBSTACLES,
    *("PYTHONPATH", "UV_ENV_FILE", "UV_FROZEN", "UV_LOCKED", "UV_PROJECT"),
    *("UV_PROJECT_ENVIRONMENT", "UV_WORKING_DIR", "VIRTUAL_ENV"),
}


def main() -> None:
    drop_what_was_not_asked_for()
    choose_versions()
    choose_license()
    if is_only_compared():
        return
    write_env()
    if not ANSWERS["install_now"]:
        tell("Written. To install and start it:", INSTALL, MIGRATE, START)
    elif run(["uv", "--version"], quietly=True) is None:
        tell(
            "No working uv was found, so nothing is installed. README.md has the "
            "commands for plain pip; with uv they are:",
            INSTALL,
            MIGRATE,
            START,
        )
    elif re.search(f"[{os.pathsep}\t\n]", str(PROJECT)):
        tell(
            f"No virtual environment works below a folder with “{os.pathsep}”, a tab "
            "or a line break in its name, so nothing is installed. Move the project, "
            "then run there:",
            INSTALL,
            MIGRATE,
            START,
        )
    elif not install():
        tell(
            "The installation failed, for the reason above. The files are complete. "
            "To continue:",
            INSTALL,
            MIGRATE,
            START,
        )
    else:
        set_up_database()
        warn_of_workspace()
    warn_of_shell()


def set_up_database() -> None:
    if run(MIGRATE, briefly=True) is None:
        tell(
            "The database could not be set up, for the reason above. Once it answers "
            "at the DATABASE_URL of .env, which may be sqlite:///db.sqlite3 as well:",
            MIGRATE,
            START,
        )
    elif place := find_database():
        tell(f"Ready. The database is {place}\n\nTo start the project:", START)
    else:
        tell(
            "The database is not where the settings have it. Set DATABASE_URL in .env:",
            MIGRATE,
            START,
        )


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
    return run([*INSTALL, "--quiet"]) is not None


def find_database() -> str:
    """Where the settings have the database; nothing where it is not."""
    engine, name = json.loads(run([*PYTHON, "-c", LOCATE], quietly=True) or '["", ""]')
    if not engine.endswith("sqlite3"):
        return name and f"{name}, at the DATABASE_URL of .env."
    return name if Path(name).is_file() else ""


def run(
    command: list[str], *, quietly: bool = False, briefly: bool = False
) -> str | None:
    """Run a command in the project. None if it failed, or else what it said quietly.

    Briefly, only the first and the last line of its errors are shown.
    """
    foreign = {
        *variables(),
        *FOREIGN,
        *(name for name in os.environ if name[:2] == "PG"),
    }
    env = {name: text for name, text in os.environ.items() if name not in foreign}
    try:
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quietly else None,
            stderr=subprocess.PIPE if quietly or briefly else None,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return None
    if briefly and done.returncode:
        errors = re.findall(r"(?m)^(?!Traceback|The above|During)\S.+", done.stderr)
        both = dict.fromkeys(errors[:1] + errors[-1:])
        print(*both, sep="\n", file=sys.stderr, flush=True)
    return None if done.returncode else done.stdout or ""


def variables() -> set[str]:
    """The variables that the project reads."""
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"(?m)^#? *(\w+)=", example))


def tell(sentence: str, *commands: list[str]) -> None:
    # A console of Windows may have no way to write the folder's name.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    print(f"\n{sentence}\n")
    for command in (["cd", str(PROJECT)], *commands):
        print(f"    {as_typed(command)}")
    print("\nThen open http://localhost:8000", flush=True)


def warn_of_shell() -> None:
    """Say what commands that are typed will see, other than those that ran here."""
    if own := sorted({*variables(), *OBSTACLES} & os.environ.keys()):
        print(
            f"\nThis shell sets {', '.join(own)}. That was ignored until now, but "
            "commands that you type see it, and variables override .env: unset what is "
            "not meant for this project.",
            flush=True,
        )


def warn_of_workspace() -> None:
    """Say what to do where uv does not see a project of its own here."""
    around = (PROJECT, *PROJECT.parents)
    root = next((folder for folder in around if (folder / "uv.lock").exists()), PROJECT)
    if root != PROJECT:
        print(
            f"\nThis project is a member of the uv workspace in {root}, which has its "
            "uv.lock. The Dockerfile and CI need one here: name this folder in "
            "`exclude` under [tool.uv.workspace] there, then run `uv sync` here.",
            flush=True,
        )


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
