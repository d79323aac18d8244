"""All measurements of one side, one after the other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.arrivals import arrive, come_back
from benchmarks.load import Crowd
from benchmarks.machine import wait_until_idle
from benchmarks.measure import Lengths, Numbers, saturate, settle, steady
from benchmarks.services import Server, redis, serving
from benchmarks.sides.base import Place, Side, Visit, visiting


@dataclass(frozen=True)
class Conversation:
    """Members, spread over rooms, and what they say in a calm hour."""

    members: int
    rooms: int
    per_second: float  # so few that the slowest side keeps up


CONVERSATIONS = {
    "10": Conversation(10, 1, 20),
    "100": Conversation(100, 1, 20),
    "1000": Conversation(1000, 1, 1),
    "1000/100": Conversation(1000, 100, 20),
}
ARRIVALS = "arrivals"
PARTS = [*CONVERSATIONS, ARRIVALS]


def measure(
    side: Side, place: Place, parts: Sequence[str], lengths: Lengths
) -> Iterator[tuple[str, Numbers]]:
    """Measure the parts in the order that is given; yield each as it is done."""
    conversations = [part for part in parts if part != ARRIVALS]
    if conversations:
        with started(side, place) as (visit, server):
            posted: Counter[int] = Counter()
            for name in conversations:
                conversation = CONVERSATIONS[name]
                yield (
                    name,
                    converse(side, visit, server, posted, conversation, lengths),
                )
    if ARRIVALS in parts:
        with started(side, place) as (visit, server):
            numbers = arrive(side, visit, server)
        with started(side, place) as (visit, server):
            yield ARRIVALS, {**numbers, **come_back(side, visit, server)}


@contextmanager
def started(side: Side, place: Place) -> Iterator[tuple[Visit, Server]]:
    """A server with fresh data."""
    log = place.folder / f"{side.name}.log"
    with (
        redis() as url,
        visiting(side, place, url) as visit,
        serving(visit.command, log) as server,
    ):
        yield visit, server


def converse(
    side: Side,
    visit: Visit,
    server: Server,
    posted: Counter[int],
    conversation: Conversation,
    lengths: Lengths,
) -> Numbers:
    rooms = conversation.rooms
    crowd = Crowd(side.dialect, posted)
    try:
        crowd.open(
            (n % rooms, visit.address(server.port, n, n % rooms, posted[n % rooms]))
            for n in range(conversation.members)
        )
        settle(crowd)
        return {
            **steady(crowd, conversation.per_second, lengths),
            **saturate(crowd, server.pid, lengths),
        }
    finally:
        crowd.close()
        wait_until_idle(server.pid)
