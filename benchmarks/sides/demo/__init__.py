"""The demo of this template, as it is generated, in production's settings."""

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from benchmarks.member import MARK, Address, Dialect
from benchmarks.services import Command
from benchmarks.sides.base import CHECKOUT, Place, Side, Visit

SEED = Path(__file__).with_name("seed.py").read_text()
SECRET_KEY = "measured-" * 8
TEMPLATE_DATABASE = "benchmark_seeded"
DOCKERFILE = CHECKOUT / "{{cookiecutter.project_slug}}" / "Dockerfile"
databases = itertools.count()
seeds: dict[Path, list[str]] = {}


def say(text: str, number: int) -> str:
    """What the page sends: the message, and an id that makes sending it again safe."""
    return json.dumps({"message": text, "client_id": str(uuid4())})


class Demo(Side):
    # It accepts first and looks into the database then: in is who got a message.
    dialect = Dialect(say, welcome=MARK)

    def __init__(self, server: str) -> None:
        self.server = server
        self.name = f"demo-{server}"
        self.title = f"this demo, {server}"

    def build(self, place: Place) -> None:
        project = project_in(place)
        if project in seeds:
            return
        if place.project is None:
            generate(project)
        place.postgres.psql(f"CREATE DATABASE {TEMPLATE_DATABASE}")
        command = self.command(place, TEMPLATE_DATABASE, "")
        python = command.arguments[0]
        command.run(python, "manage.py", "migrate")
        command.run(python, "manage.py", "collectstatic", "--noinput")
        printed = command.run(python, "manage.py", "shell", "--no-imports", "-c", SEED)
        seeds[project] = json.loads(printed.splitlines()[-1])

    def visit(self, place: Place, redis_url: str) -> "DemoVisit":
        database = f"benchmark_{next(databases)}"
        place.postgres.psql(f"CREATE DATABASE {database} TEMPLATE {TEMPLATE_DATABASE}")
        command = self.command(place, database, redis_url)
        return DemoVisit(command, seeds[project_in(place)])

    def command(self, place: Place, database: str, redis_url: str) -> Command:
        project = project_in(place)
        python = str((place.venv or project / ".venv") / "bin" / "python")
        variables = {
            "ALLOWED_HOSTS": "127.0.0.1",
            "CHAT_FLOOD_LIMIT": "1000000 per second",
            "DATABASE_URL": f"postgres:///{place.postgres.pgdata}/{database}",
            "DEBUG": "false",
            "PGUSER": "postgres",
            "SECRET_KEY": SECRET_KEY,
            "USE_HTTPS_IN_ABSOLUTE_URLS": "false",
            "WEBSOCKET_SOCKETS_PER_SECOND": "1000000",
            "WEBSOCKET_FRAMES_PER_SECOND": "1000000",
        }
        if redis_url:
            variables["REDIS_URL"] = redis_url
        arguments = [python, "-m", *production(self.server)]
        return Command(arguments, project, variables)


class DemoVisit(Visit):
    def __init__(self, command: Command, sessions: list[str]) -> None:
        self.command = command
        self.sessions = sessions

    def address(self, port: int, member: int, room: int, seen: int) -> Address:
        return Address(
            port,
            f"/ws/chat/room-{room}/?after={seen}",
            {
                "Cookie": f"sessionid={self.sessions[member % len(self.sessions)]}",
                "Origin": f"http://127.0.0.1:{port}",
            },
        )

    def post(self, room: int, count: int) -> int:
        script = f"""
from django.core.management import call_command

for number in range({count}):
    call_command("say", "room-{room}", f"zqx{{number:07d}} late", user="member0")
"""
        shell = ["manage.py", "shell", "--no-imports", "-c", script]
        self.command.run(self.command.arguments[0], *shell)
        return count


def production(server: str) -> list[str]:
    """Return the command of the image that runs this server, at another address."""
    (command,) = re.findall(rf'^CMD (\["{server}".*)$', DOCKERFILE.read_text(), re.M)
    elsewhere = {"0.0.0.0": "127.0.0.1", "8000": "{port}"}  # noqa: S104
    return [elsewhere.get(word, word) for word in json.loads(command)]


def project_in(place: Place) -> Path:
    return place.project or place.folder / "demo" / "measured"


def generate(project: Path) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "cookiecutter", CHECKOUT),
            *("--no-input", "--default-config", "--overwrite-if-exists"),
            *("-o", project.parent, f"project_slug={project.name}"),
            *("asgi_server=uvicorn", "database=postgresql", "install_now=false"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    subprocess.run(["uv", "sync", "--quiet", "--no-dev"], cwd=project, check=True)
