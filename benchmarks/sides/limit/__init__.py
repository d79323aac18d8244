"""The limit: bare `websockets.broadcast()`."""

from pathlib import Path

from benchmarks.services import Command
from benchmarks.sides.base import Place, Side, install
from benchmarks.sides.open import OpenVisit

HERE = Path(__file__).resolve().parent


class Limit(Side):
    name = "limit"
    title = "bare websockets.broadcast()"

    def build(self, place: Place) -> None:
        install(place.folder / "limit", HERE / "requirements.txt")

    def visit(self, place: Place, redis_url: str) -> OpenVisit:
        python = place.folder / "limit" / "bin" / "python"
        return OpenVisit(
            Command([python, "server.py", "{port}"], HERE, {}), "/room-{room}"
        )
