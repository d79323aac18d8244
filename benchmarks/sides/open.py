"""A side without logins: whoever knows the address is in."""

import itertools

from benchmarks.member import Address
from benchmarks.services import Command
from benchmarks.sides.base import Place, Visit


class OpenVisit(Visit):
    def __init__(self, command: Command, path: str) -> None:
        self.command = command
        self.path = path

    def address(self, port: int, member: int, room: int, seen: int) -> Address:
        return Address(port, self.path.format(room=room))


databases = itertools.count()


def message_database(place: Place) -> str:
    """Return the URL of a new database, with a table of messages."""
    name = f"messages_{next(databases)}"
    place.postgres.psql(f"CREATE DATABASE {name}")
    place.postgres.psql(
        f"\\connect {name}\n"
        "CREATE TABLE message (id bigserial PRIMARY KEY, room text NOT NULL, "
        "text text NOT NULL, stored timestamptz NOT NULL DEFAULT now())"
    )
    return f"postgresql://postgres@/{name}?host={place.postgres.pgdata}"
