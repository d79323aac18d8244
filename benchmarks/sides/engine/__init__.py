"""The library without the chat: nothing is stored. And live regions."""

import json
from pathlib import Path

from benchmarks.member import Address, Dialect
from benchmarks.services import Command
from benchmarks.sides.base import Place
from benchmarks.sides.demo import Demo, DemoVisit

HERE = Path(__file__).resolve().parent


class Engine(Demo):
    dialect = Dialect(
        lambda text, number: json.dumps({"message": text}), welcome=b"<p>"
    )

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.name = f"engine-{server}"
        self.title = f"this library, nothing stored, {server}"

    def visit(self, place: Place, redis_url: str) -> "EngineVisit":
        visit = super().visit(place, redis_url)
        return EngineVisit(visit.command, visit.sessions)

    def command(self, place: Place, database: str, redis_url: str) -> Command:
        command = super().command(place, database, redis_url)
        arguments = [
            "app:application" if argument == "config.asgi:application" else argument
            for argument in command.arguments
        ]
        variables = {
            "DJANGO_SETTINGS_MODULE": "measured",
            "PYTHONPATH": f"{command.folder}:{HERE}",
        }
        return Command(arguments, command.folder, {**command.variables, **variables})


class EngineVisit(DemoVisit):
    """Its members join a group, or show a region: `one`, `each` or `bulk`."""

    path = "/ws/flow/room-{room}/"

    def address(self, port: int, member: int, room: int, seen: int) -> Address:
        address = super().address(port, member, room, seen)
        return Address(port, self.path.format(room=room), address.headers)

    def regions(self, port: int, kind: str) -> list[Address]:
        """Return how each member opens a page with a region of this kind."""
        shell = ["manage.py", "shell", "--no-imports", "-c"]
        script = f"from live import names; print(names({kind!r}, {self.sessions!r}))"
        printed = self.command.run(self.command.arguments[0], *shell, script)
        return [
            Address(
                port,
                "/ws/live/",
                super(EngineVisit, self).address(port, member, 0, 0).headers,
                json.dumps({"watch": [[name, ""]]}),
            )
            for member, name in enumerate(json.loads(printed.splitlines()[-1]))
        ]

    def post(self, room: int, count: int) -> int:
        return 0
