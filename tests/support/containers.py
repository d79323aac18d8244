"""Dockerfile and compose.yaml, read and carried out without a container engine."""

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from baking import run


class Image:
    """What a Dockerfile makes of its context.

    All stages have one root, the folder `root`: what is copied from one to the other
    is there already, or is moved.
    """

    def __init__(self, context: Path, root: Path) -> None:
        self.context = context
        self.root = root
        self.env: dict[str, str] = {}
        self.folder = "/"
        self.user = ""
        self.cmd: list[str] = []
        self.healthcheck: list[str] = []
        text = re.sub(r"(?m)^#.*\n", "", (context / "Dockerfile").read_text())
        for line in filter(None, text.replace("\\\n", " ").splitlines()):
            self.carry_out(*line.split(maxsplit=1))

    def carry_out(self, name: str, words: str) -> None:
        match name:
            case "FROM":
                self.env, self.folder, self.user = {}, "/", ""
            case "ENV":
                self.env |= dict(word.split("=", 1) for word in shlex.split(words))
            case "WORKDIR":
                self.folder = words
                self.path.mkdir(parents=True, exist_ok=True)
            case "COPY":
                self.copy(words.split())
            case "RUN":
                command = re.sub(r"(?<= )/(?=\w)", f"{self.root}/", words)
                run("bash", "-euc", command, cwd=self.path, env=self.environment)
            case "USER":
                self.user = words
            case "HEALTHCHECK":
                self.healthcheck = json.loads(words.partition("CMD ")[2])
            case "CMD":
                self.cmd = json.loads(words)
            case _:
                assert name == "EXPOSE", name

    @property
    def path(self) -> Path:
        """Where its working directory is here."""
        return self.inside(self.folder)

    def inside(self, path: str) -> Path:
        return self.root / (Path(self.folder) / path).relative_to("/")

    @property
    def environment(self) -> dict[str, str]:
        env = {name: value.replace("$PATH", "") for name, value in self.env.items()}
        path = env.get("PATH", "").replace("/srv/", f"{self.root}/srv/")
        # This machine's Python stands for that of the base image.
        python = str(Path(sys.executable).resolve())
        return env | {"PATH": path + os.environ["PATH"], "UV_PYTHON": python}

    def copy(self, words: list[str]) -> None:
        options = [word for word in words if word.startswith("--")]
        *sources, target = (word for word in words if word not in options)
        (stage,) = [o.removeprefix("--from=") for o in options if "from" in o] or [""]
        for source in sources:
            if not stage:
                self.take(source, self.inside(target))
            elif stage == "build" and self.inside(source) != self.inside(target):
                shutil.move(self.inside(source), self.inside(target))
            # Another image is a tool's, and this machine has the tool.

    def take(self, source: str, target: Path) -> None:
        """Copy a file of the context or all of it, less what .dockerignore names."""
        for path in self.sent():
            if source in {".", str(path)}:
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.context / path, target / path)

    def sent(self) -> Iterator[Path]:
        lines = (self.context / ".dockerignore").read_text().splitlines()
        patterns = [line for line in lines if line and not line.startswith("#")]
        named = {line: set(self.context.glob(line.lstrip("!"))) for line in patterns}
        for path in self.context.rglob("*"):
            above = {path, *path.parents}
            # The last line that names it decides.
            ways = [line for line, paths in named.items() if paths & above]
            if path.is_file() and (not ways or ways[-1].startswith("!")):
                yield path.relative_to(self.context)


def read_compose(project: Path, **variables: str) -> dict[str, Any]:
    """The services of compose.yaml, its variables filled in."""

    def fill(found: re.Match[str]) -> str:
        name, how, text = found.groups()
        if how == ":?" and name not in variables:
            raise KeyError(f"{name} {text}")
        return variables.get(name, text)

    text = (project / "compose.yaml").read_text()
    filled = re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", fill, text)
    services: dict[str, Any] = yaml.safe_load(filled)["services"]
    return services
