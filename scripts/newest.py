"""Tests projects with the newest of everything, beyond all bounds: `make newest`."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parent.parent
NEWEST = CHECKOUT / ".newest"
# Between them they have every dependency.
PROJECTS = {
    "with_demo": ["chat_client=htmx", "asgi_server=daphne"],
    "without_demo": ["include_chat_demo=false", "asgi_server=uvicorn"],
}
CHECKS = [
    ["ruff", "check"],
    ["ruff", "format", "--check"],
    ["mypy", "."],
    ["pytest", "--quiet"],
]
BOUNDED = re.compile(r'"([\w.-]+(?:\[[\w,]+\])?>=[\w.]+),<[\w.]+"')
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}


def main() -> None:
    shutil.rmtree(NEWEST, ignore_errors=True)
    broken = []
    for name, answers in PROJECTS.items():
        project = generate(name, answers)
        bounded = lift(project / "pyproject.toml")
        run("uv", "sync", "--quiet", cwd=project)
        for line in beyond(bounded, project / "uv.lock"):
            print(f"{name}: {line}", flush=True)
        broken += [
            f"{name}: {' '.join(check)}"
            for check in CHECKS
            if run("uv", "run", *check, cwd=project, check=False)
        ]
    if broken:
        sys.exit("\n".join(["Broken by something new:", *broken]))


def generate(slug: str, answers: list[str]) -> Path:
    options = ["--no-input", "--default-config", "-o", str(NEWEST)]
    answers = [f"project_slug={slug}", "install_now=false", *answers]
    run(
        *(sys.executable, "-m", "cookiecutter", str(CHECKOUT), *options, *answers),
        cwd=CHECKOUT,
    )
    return NEWEST / slug


def lift(declared: Path) -> list[Requirement]:
    """Take the upper bounds away; the requirements as they were."""
    text = declared.read_text("utf-8")
    declared.write_text(BOUNDED.sub(r'"\1"', text), "utf-8")
    return [Requirement(found[0].strip('"')) for found in BOUNDED.finditer(text)]


def beyond(bounded: list[Requirement], lock: Path) -> Iterator[str]:
    """One line for each package that is newer than a bound allows."""
    packages = tomllib.loads(lock.read_text("utf-8"))["package"]
    versions = {package["name"]: package.get("version", "") for package in packages}
    for requirement in bounded:
        version = versions.get(requirement.name)
        if version and version not in requirement.specifier:
            yield f"{requirement.name} is at {version}, beyond {requirement.specifier}"


def run(*command: str, cwd: Path, check: bool = True) -> int:
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, check=check).returncode


if __name__ == "__main__":
    main()
