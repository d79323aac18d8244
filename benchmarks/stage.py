"""A side at work: its server, its Redis, fresh data, and what was posted there."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.load import Crowd
from benchmarks.member import Address
from benchmarks.services import Server, redis, serving
from benchmarks.sides.base import Place, Side, Visit


@dataclass(frozen=True)
class Stage:
    side: Side
    visit: Visit
    server: Server
    posted: Counter[int] = field(default_factory=Counter)  # messages of each room

    @contextmanager
    def crowd(self) -> Iterator[Crowd]:
        crowd = Crowd(self.side.dialect, self.posted)
        try:
            yield crowd
        finally:
            crowd.close()

    def entrances(
        self, members: range, *, rooms: int = 1, back: bool = False
    ) -> Iterator[tuple[int, Address]]:
        """Ways in, for members who have seen all messages but the last one.

        A room has one from the start. Those who come `back` had seen that one too.
        """
        for member in members:
            room = member % rooms
            seen = self.posted[room] + back
            yield room, self.visit.address(self.server.port, member, room, seen)


@contextmanager
def staged(side: Side, place: Place) -> Iterator[Stage]:
    log = place.folder / f"{side.name}.log"
    with redis() as url:
        visit = side.visit(place, url)
        with serving(visit.command, log) as server:
            yield Stage(side, visit, server)
