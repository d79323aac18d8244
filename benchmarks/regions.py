"""Live regions: a thousand pages come back, and one state changes on all of them."""

import statistics
from typing import cast

from benchmarks.frames import encode
from benchmarks.load import LOOK, Crowd
from benchmarks.machine import cpu_seconds, wait_until_idle
from benchmarks.measure import PATIENCE, IncompleteError, Numbers
from benchmarks.member import Address, Member, clock
from benchmarks.sides.base import MEMBERS
from benchmarks.sides.engine import EngineVisit
from benchmarks.stage import Stage

# A crowd may need a third more than the one before, though it is the same.
TURNS = 3
CHANGES = 20
EARLY = 20


def show_regions(stage: Stage) -> Numbers:
    """Pages with one region each, and sockets that join one group each, in turns."""
    visit = cast(EngineVisit, stage.visit)
    port = stage.server.port
    groups = [visit.address(port, member, member, 0) for member in range(MEMBERS)]
    crowds = {"group": groups}
    crowds |= {kind: visit.regions(port, kind) for kind in ("each", "bulk")}
    took: dict[str, list[float]] = {kind: [] for kind in crowds}
    for _ in range(TURNS):
        for kind, addresses in crowds.items():
            took[kind].append(come(stage, addresses))
    numbers = {
        f"{kind}_milliseconds": statistics.median(times) for kind, times in took.items()
    }
    return {**numbers, **change(stage, visit.regions(port, "one"))}


def come(stage: Stage, addresses: list[Address]) -> float:
    """Server CPU for each who comes in, in milliseconds."""
    pid = stage.server.pid
    with stage.crowd() as crowd:
        crowd.open(enumerate(addresses[:EARLY]))
        wait_until_idle(pid, crowd.rest)
        used = cpu_seconds(pid)
        crowd.open(enumerate(addresses[EARLY:]))
        wait_until_idle(pid, crowd.rest)
        used = cpu_seconds(pid) - used
        if crowd.lost:
            raise IncompleteError(f"{crowd.lost} of {MEMBERS} pages were lost.")
    wait_until_idle(pid)
    return 1000 * used / (len(addresses) - EARLY)


def change(stage: Stage, addresses: list[Address]) -> Numbers:
    """Change what all pages show, and wait until they show it."""
    pid = stage.server.pid
    writer = Address(stage.server.port, "/ws/change/", addresses[0].headers)
    with stage.crowd() as crowd:
        crowd.open(enumerate([*addresses, writer]))
        member = crowd.members.pop()
        wait_until_idle(pid, crowd.rest)
        used, took = cpu_seconds(pid), []
        for _ in range(CHANGES):
            took.append(change_once(crowd, member))
            crowd.rest(0.2)
        used = cpu_seconds(pid) - used
    return {
        "change_median_ms": 1000 * statistics.median(took),
        "server_milliseconds_per_change": 1000 * used / CHANGES,
    }


def change_once(crowd: Crowd, writer: Member) -> float:
    for one in crowd.members:
        one.count = 0
    began = clock()
    writer.socket.send(encode(b"{}"))
    while not all(one.count for one in crowd.members):
        crowd.turn(LOOK)
        if crowd.lost or clock() > began + PATIENCE:
            raise IncompleteError("A change was not shown on all pages.")
    return clock() - began
