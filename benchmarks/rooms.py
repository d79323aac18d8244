"""What a room takes in memory, beside its sockets, with what it keeps for catch-up."""

from benchmarks.arrivals import EARLY, LATE
from benchmarks.machine import resident_kilobytes, wait_until_idle
from benchmarks.measure import settle
from benchmarks.stage import Stage

# More messages than a process keeps of each, where it has so many rooms.
MESSAGES = 30


def grow(stage: Stage, rooms: int) -> float:
    """Return by how many KB the process grows while members come and rooms talk."""
    pid = stage.server.pid
    with stage.crowd() as crowd:
        crowd.open(stage.entrances(EARLY, rooms=rooms))
        settle(crowd)
        wait_until_idle(pid, crowd.rest)
        memory = resident_kilobytes(pid)
        crowd.open(stage.entrances(LATE, rooms=rooms))
        for _ in range(MESSAGES):
            settle(crowd)
        wait_until_idle(pid, crowd.rest)
        return resident_kilobytes(pid) - memory
