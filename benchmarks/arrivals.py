"""A thousand come, stay, and come back after the server was killed."""

from collections import Counter

from benchmarks.load import Crowd, clock
from benchmarks.machine import cpu_seconds, resident_kilobytes, wait_until_idle
from benchmarks.measure import PATIENCE, Incomplete, Numbers, settle
from benchmarks.services import Server
from benchmarks.sides.base import MEMBERS, Side, Visit

# Who comes first has things loaded that are loaded once: they are not counted.
EARLY = 20
# Messages that are posted while the server is down.
MISSED = 5


def arrive(side: Side, visit: Visit, server: Server, members: int = MEMBERS) -> Numbers:
    posted: Counter[int] = Counter()
    crowd = Crowd(side.dialect, posted)
    try:
        crowd.open((0, visit.address(server.port, n, 0, 0)) for n in range(EARLY))
        settle(crowd)
        wait_until_idle(server.pid, crowd.rest)
        began, cpu = clock(), cpu_seconds(server.pid)
        memory = resident_kilobytes(server.pid)
        late = range(EARLY, members)
        crowd.open((0, visit.address(server.port, n, 0, posted[0])) for n in late)
        took = clock() - began
        wait_until_idle(server.pid, crowd.rest)
        memory = resident_kilobytes(server.pid) - memory
        cpu = cpu_seconds(server.pid) - cpu
        settle(crowd)
    finally:
        crowd.close()
    return {
        "connections_per_second": len(late) / took,
        "server_milliseconds_per_connection": 1000 * cpu / len(late),
        "kilobytes_per_connection": memory / len(late),
    }


def come_back(
    side: Side, visit: Visit, server: Server, members: int = MEMBERS
) -> Numbers:
    """Kill the server; a side that can is given messages meanwhile; start it again."""
    posted: Counter[int] = Counter()
    before = Crowd(side.dialect, posted)
    before.open((0, visit.address(server.port, n, 0, 0)) for n in range(members))
    settle(before)
    server.end()
    before.close()
    missed = visit.post(0, MISSED)
    crowd = Crowd(side.dialect, posted)
    try:
        began = clock()
        server.start()
        booted = clock() - began
        # One message of each room was there from the start, and was seen by now.
        seen = posted[0] + 1
        crowd.open((0, visit.address(server.port, n, 0, seen)) for n in range(members))
        crowd.wait_for(
            lambda: all(member.count >= missed for member in crowd.members),
            clock() + PATIENCE,
        )
        back = clock() - began
        wrong = [member.count for member in crowd.members if member.count != missed]
        if wrong or crowd.lost:
            raise Incomplete(f"{len(wrong)} of {members} came back incomplete: {wrong}")
        posted[0] += missed
        settle(crowd)
    finally:
        crowd.close()
    return {"boot_seconds": booted, "back_seconds": back, "caught_up": missed}
