"""What the jobs of a project's CI type, read from the files that say so."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from baking import Variables, run

# What the machines of CI lack and this one has, and what asks the world outside.
ELSEWHERE = re.compile(r"apt-get|docker|uvx ")


@dataclass(frozen=True)
class Line:
    job: str
    text: str
    env: Variables


def github(project: Path) -> Iterator[Line]:
    workflow = read(project / ".github" / "workflows" / "ci.yml")
    for name, job in workflow["jobs"].items():
        for step in job["steps"]:
            if "run" in step:
                given = [holder.get("env", {}) for holder in (workflow, job, step)]
                yield Line(name, step["run"], merged(given))


def gitlab(project: Path) -> Iterator[Line]:
    pipeline = read(project / ".gitlab-ci.yml")
    for name, job in pipeline.items():
        if "script" in job:
            given = [holder.get("variables", {}) for holder in (pipeline, job)]
            before = job.get("before_script", pipeline["default"]["before_script"])
            for text in [*before, *job["script"]]:
                yield Line(name, text, merged(given))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def merged(given: list[Variables]) -> dict[str, str]:
    """The variables of all holders, without those about where uv keeps its cache."""
    return {
        name: value
        for variables in given
        for name, value in variables.items()
        if not name.startswith("UV_")
    }


def carry_out(line: Line, cwd: Path, machine: Variables, services: Variables) -> str:
    """Type a line, on this machine and with its services; what it printed."""
    served = services if "DATABASE_URL" in line.env else {}
    env = {**machine, **line.env, **served}
    return run("bash", "-euc", line.text, cwd=cwd, env=env).stdout
