"""Sockets over which nobody says anything: what they cost while they are only open."""

from typing import cast

from benchmarks.load import Crowd
from benchmarks.machine import cpu_seconds, resident_kilobytes, wait_until_idle
from benchmarks.measure import IncompleteError, Lengths, Numbers, settle
from benchmarks.member import clock
from benchmarks.sides.engine import EngineVisit
from benchmarks.stage import Stage

FEW = 20
ROOMS = 100


def rest_in_rooms(stage: Stage, lengths: Lengths) -> Numbers:
    """More and more come into the demo's rooms, and stay."""
    numbers: Numbers = {}
    with stage.crowd() as crowd:
        for name, count in (
            ("few", FEW),
            ("many", lengths.sockets),
            ("most", 2 * lengths.sockets),
        ):
            newcomers = range(len(crowd.members), count)
            crowd.open(stage.entrances(newcomers, rooms=ROOMS))
            settle(crowd)
            numbers[f"{name}_sockets"] = count
            numbers[f"{name}_busy"] = busy(stage, crowd, lengths)
            numbers[f"{name}_kilobytes"] = resident_kilobytes(stage.server.pid)
    return numbers


def rest_alone(stage: Stage, lengths: Lengths) -> Numbers:
    """Sockets in one group, in a group of their own each, with a live region each."""
    visit, port = cast(EngineVisit, stage.visit), stage.server.port
    members = range(lengths.sockets)
    regions = visit.regions(port, "each")
    numbers: Numbers = {"sockets": len(members)}
    for name, addresses in {
        "together": (visit.address(port, member, 0, 0) for member in members),
        "groups": (visit.address(port, member, member, 0) for member in members),
        "regions": (regions[member % len(regions)] for member in members),
    }.items():
        with stage.crowd() as crowd:
            crowd.open(enumerate(addresses))
            numbers[f"{name}_busy"] = busy(stage, crowd, lengths)
    return numbers


def busy(stage: Stage, crowd: Crowd, lengths: Lengths) -> float:
    """The share of a core that the server needs while nobody says anything."""
    pid = stage.server.pid
    wait_until_idle(pid, crowd.rest)
    began, cpu = clock(), cpu_seconds(pid)
    crowd.rest(lengths.quiet)
    if crowd.lost:
        raise IncompleteError(f"{crowd.lost} quiet sockets were lost.")
    return (cpu_seconds(pid) - cpu) / (clock() - began)
