"""README, Dockerfile and unit start the same server, each where it listens."""

import json
import re
import shlex
from pathlib import Path

import pytest
from baking import Kitchen
from fleet import OPTIONS, SERVERS

# Where a server listens: that differs.
PLACES = re.compile(r"(-b|-p|--host|--port|--fd) \S+ ", re.ASCII)


def commands(project: Path) -> list[str]:
    readme = (project / "README.md").read_text()
    image = (project / "Dockerfile").read_text()
    unit = project / "deploy" / "systemd" / f"{project.name}@.service"
    return [
        *re.findall(r"uv run --no-dev ((?:daphne|uvicorn).*)", readme),
        *(" ".join(json.loads(one)) for one in re.findall(r"(?m)^CMD (.*)", image)),
        *re.findall(r"ExecStart=/srv/\w+/\.venv/bin/(.*)", unit.read_text()),
    ]


@pytest.mark.parametrize("name", SERVERS)
def test_it_has_the_same_options_everywhere(kitchen: Kitchen, name: str) -> None:
    found = commands(kitchen.write({"asgi_server": name}))
    assert len(found) == 3
    (options,) = {PLACES.sub("", command) for command in found}
    assert shlex.split(options)[0] == name
    assert " ".join(OPTIONS[name]) in options
