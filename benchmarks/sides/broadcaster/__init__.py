"""Starlette and broadcaster on Redis, uvicorn."""

from pathlib import Path

from benchmarks.services import Command
from benchmarks.sides.base import Place, Side, install
from benchmarks.sides.open import OpenVisit, message_database

HERE = Path(__file__).resolve().parent


class Broadcaster(Side):
    name = "broadcaster"
    title = "Starlette + broadcaster, uvicorn"
    module = "app"

    def build(self, place: Place) -> None:
        install(place.folder / "broadcaster", HERE / "requirements.txt")

    def visit(self, place: Place, redis_url: str) -> OpenVisit:
        python = str(place.folder / "broadcaster" / "bin" / "python")
        server = [python, "-m", "uvicorn", f"{self.module}:app"]
        address = ["--host", "127.0.0.1", "--port", "{port}"]
        variables = {"REDIS_URL": redis_url, **self.variables(place)}
        return OpenVisit(Command([*server, *address], HERE, variables), "/room-{room}")

    def variables(self, place: Place) -> dict[str, str]:
        return {}


class StoredBroadcaster(Broadcaster):
    name = "broadcaster-stored"
    title = "the same, stored in PostgreSQL"
    module = "stored"

    def variables(self, place: Place) -> dict[str, str]:
        return {"DATABASE_URL": message_database(place)}
