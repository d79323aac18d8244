"""The official tutorial's chat on daphne, and the same with HTMX."""

import json
from pathlib import Path

from benchmarks.member import Address
from benchmarks.services import Command
from benchmarks.sides.base import Place, Side, Visit, install

HERE = Path(__file__).resolve().parent
SEED = (HERE / "seed.py").read_text()
seeds: dict[Path, list[str]] = {}


class Tutorial(Side):
    name = "tutorial"
    title = "Channels tutorial, daphne"
    path = "/ws/chat"

    def build(self, place: Place) -> None:
        folder = place.folder / "tutorial"
        if folder in seeds:
            return
        install(folder / ".venv", HERE / "requirements.txt")
        (folder / "db.sqlite3").unlink(missing_ok=True)
        command = self.command(place, "")
        python = command.arguments[0]
        command.run(python, "manage.py", "migrate")
        printed = command.run(python, "manage.py", "shell", "--no-imports", "-c", SEED)
        seeds[folder] = json.loads(printed.splitlines()[-1])

    def visit(self, place: Place, redis_url: str) -> "TutorialVisit":
        command = self.command(place, redis_url)
        return TutorialVisit(command, seeds[place.folder / "tutorial"], self.path)

    def command(self, place: Place, redis_url: str) -> Command:
        folder = place.folder / "tutorial"
        python = folder / ".venv" / "bin" / "python"
        return Command(
            [
                *(python, "-m", "daphne", "-b", "127.0.0.1", "-p", "{port}"),
                "mysite.asgi:application",
            ],
            HERE,
            {
                "DATABASE": str(folder / "db.sqlite3"),
                **({"REDIS_URL": redis_url} if redis_url else {}),
            },
        )


class TutorialVisit(Visit):
    def __init__(self, command: Command, sessions: list[str], path: str) -> None:
        self.command = command
        self.sessions = sessions
        self.path = path

    def address(self, port: int, member: int, room: int, seen: int) -> Address:
        return Address(
            port,
            f"{self.path}/room-{room}/",
            {
                "Cookie": f"sessionid={self.sessions[member]}",
                "Origin": f"http://127.0.0.1:{port}",
            },
        )


class TutorialHtmx(Tutorial):
    name = "tutorial-htmx"
    title = "the same, HTMX, daphne"
    path = "/ws/htmx"
