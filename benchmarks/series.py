"""All measurements of one side, one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.arrivals import LATE, arrive, come_back
from benchmarks.machine import wait_until_idle
from benchmarks.measure import Lengths, Numbers, saturate, settle, steady
from benchmarks.quiet import rest_alone, rest_in_rooms
from benchmarks.regions import show_regions
from benchmarks.rooms import grow
from benchmarks.sides.base import MEMBERS, Place, Side
from benchmarks.sides.demo import Demo
from benchmarks.sides.engine import Engine
from benchmarks.stage import Stage, staged


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
REGIONS = "regions"
QUIET = "quiet"
ROOMS = "rooms"
PARTS = [*CONVERSATIONS, ARRIVALS, REGIONS, QUIET, ROOMS]


def measure(
    side: Side, place: Place, parts: Sequence[str], lengths: Lengths
) -> Iterator[tuple[str, Numbers]]:
    """Measure the parts in the order that is given; yield each as it is done."""
    conversations = [part for part in parts if part in CONVERSATIONS]
    if conversations:
        with staged(side, place) as stage:
            for name in conversations:
                yield name, converse(stage, CONVERSATIONS[name], lengths)
    if ARRIVALS in parts:
        with staged(side, place) as stage:
            numbers = arrive(stage)
        with staged(side, place) as stage:
            yield ARRIVALS, {**numbers, **come_back(stage)}
    if REGIONS in parts and isinstance(side, Engine):
        with staged(side, place) as stage:
            yield REGIONS, show_regions(stage)
    if QUIET in parts and isinstance(side, Demo):
        rest = rest_alone if isinstance(side, Engine) else rest_in_rooms
        with staged(side, place) as stage:
            yield QUIET, rest(stage, lengths)
    if ROOMS in parts and isinstance(side, Demo) and not isinstance(side, Engine):
        with staged(side, place) as stage:
            one = grow(stage, rooms=1)
        with staged(side, place) as stage:
            many = grow(stage, rooms=MEMBERS)
        yield ROOMS, {"kilobytes_per_room": (many - one) / len(LATE)}


def converse(stage: Stage, conversation: Conversation, lengths: Lengths) -> Numbers:
    members = range(conversation.members)
    with stage.crowd() as crowd:
        crowd.open(stage.entrances(members, rooms=conversation.rooms))
        settle(crowd)
        calm = steady(crowd, stage.server.pid, conversation.per_second, lengths)
        full = saturate(crowd, stage.server.pid, lengths)
    # The next crowd does not come in while this one is seen off.
    wait_until_idle(stage.server.pid)
    return {**calm, **full}
