"""Starlette and broadcaster on Redis, uvicorn."""

from pathlib import Path

from benchmarks.services import Command
from benchmarks.sides.base import Place, Side, install
from benchmarks.sides.open import OpenVisit

HERE = Path(__file__).resolve().parent


class Broadcaster(Side):
    name = "broadcaster"
    title = "Starlette + broadcaster, uvicorn"

    def build(self, place: Place) -> None:
        install(place.folder / "broadcaster", HERE / "requirements.txt")

    def visit(self, place: Place, redis_url: str) -> OpenVisit:
        python = str(place.folder / "broadcaster" / "bin" / "python")
        server = [python, "-m", "uvicorn", "app:app"]
        address = ["--host", "127.0.0.1", "--port", "{port}"]
        return OpenVisit(
            Command([*server, *address], HERE, {"REDIS_URL": redis_url}), "/room-{room}"
        )
