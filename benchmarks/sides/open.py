"""A side without logins: whoever knows the address is in."""

from benchmarks.member import Address
from benchmarks.services import Command
from benchmarks.sides.base import Visit


class OpenVisit(Visit):
    def __init__(self, command: Command, path: str) -> None:
        self.command = command
        self.path = path

    def address(self, port: int, member: int, room: int, seen: int) -> Address:
        return Address(port, self.path.format(room=room))
