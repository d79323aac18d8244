"""A thousand come, stay, and come back after the server was killed."""

from benchmarks.machine import cpu_seconds, resident_kilobytes, wait_until_idle
from benchmarks.measure import PATIENCE, IncompleteError, Numbers, settle
from benchmarks.member import clock
from benchmarks.sides.base import MEMBERS
from benchmarks.stage import Stage

# Who comes first has things loaded that are loaded once: they are not counted.
EARLY = range(20)
LATE = range(20, MEMBERS)
# Messages that are posted while the server is down.
MISSED = 5


def arrive(stage: Stage) -> Numbers:
    pid = stage.server.pid
    with stage.crowd() as crowd:
        crowd.open(stage.entrances(EARLY))
        settle(crowd)
        wait_until_idle(pid, crowd.rest)
        began, cpu, memory = clock(), cpu_seconds(pid), resident_kilobytes(pid)
        crowd.open(stage.entrances(LATE))
        took = clock() - began
        wait_until_idle(pid, crowd.rest)
        memory = resident_kilobytes(pid) - memory
        cpu = cpu_seconds(pid) - cpu
    return {
        "connections_per_second": len(LATE) / took,
        "server_milliseconds_per_connection": 1000 * cpu / len(LATE),
        "kilobytes_per_connection": memory / len(LATE),
    }


def come_back(stage: Stage) -> Numbers:
    """Kill the server; a side that can is given messages meanwhile; start it again."""
    everybody = range(MEMBERS)
    with stage.crowd() as crowd:
        crowd.open(stage.entrances(everybody))
        settle(crowd)
        stage.server.end()
    missed = stage.visit.post(0, MISSED)
    with stage.crowd() as crowd:
        began = clock()
        stage.server.start()
        booted = clock() - began
        crowd.open(stage.entrances(everybody, back=True))
        crowd.wait_for(
            lambda: all(member.count >= missed for member in crowd.members),
            PATIENCE,
        )
        took = clock() - began
        wrong = sum(member.count != missed for member in crowd.members)
        if wrong or crowd.lost:
            raise IncompleteError(f"{wrong} came back incomplete, {crowd.lost} lost.")
        stage.posted[0] += missed
        settle(crowd)
    return {"boot_seconds": booted, "back_seconds": took, "caught_up": missed}
