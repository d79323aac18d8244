"""The measurements. Each takes a crowd that is in its rooms, and returns numbers."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched

from benchmarks.load import Crowd
from benchmarks.machine import core_seconds, cpu_seconds
from benchmarks.member import Member, clock

SENDERS = 32
IN_FLIGHT = 64
# For how long the last deliveries are waited for, in seconds.
PATIENCE = 90

Numbers = dict[str, float]


@dataclass(frozen=True)
class Lengths:
    """How long is measured, in seconds, and how many sockets are quiet."""

    warm: float = 1
    saturated: float = 4
    steady: float = 5
    # The engine checks all sockets every 30 seconds, and pings each every 45.
    quiet: float = 90
    sockets: int = 5_000


class IncompleteError(Exception):
    """Raised where a side does not deliver what was sent, or drops sockets."""


def settle(crowd: Crowd) -> None:
    """See that a message reaches everyone, before anything counts."""
    for _ in range(10):
        crowd.forget()
        first = list({member.room: member for member in crowd.members}.values())
        for few in batched(first, SENDERS):
            for member in few:
                crowd.send(member)
            crowd.wait_for(lambda: not crowd.missing(), 5)
        if not crowd.missing():
            crowd.forget()
            return
    raise IncompleteError(
        f"{crowd.missing()} of {len(crowd.members)} members hear nothing; "
        f"{crowd.lost} sockets were lost."
    )


def saturate(crowd: Crowd, pid: int, lengths: Lengths) -> Numbers:
    """Always 64 messages on their way: whoever gets theirs back sends the next."""
    crowd.forget()
    senders = pick_senders(crowd)
    for sender in senders:
        sender.watch(observes=True)
    crowd.flowing = True
    for number in range(IN_FLIGHT):
        crowd.send(senders[number % len(senders)])
    crowd.run(clock() + lengths.warm)
    began, before = clock(), crowd.deliveries()
    cpu, core, own = cpu_seconds(pid), core_seconds(), time.process_time()
    crowd.run(began + lengths.saturated)
    took, delivered = clock() - began, crowd.deliveries() - before
    cpu, core = cpu_seconds(pid) - cpu, core_seconds() - core
    own = time.process_time() - own
    crowd.flowing = False
    complete(crowd)
    return {
        "deliveries_per_second": delivered / took,
        "server_microseconds_per_delivery": 1e6 * cpu / max(1, delivered),
        "server_busy": cpu / took,
        "others_busy": max(0.0, core - cpu) / took,
        "generator_busy": own / took,
        "messages": len(crowd.sent_at),
        "deliveries": crowd.deliveries(),
        **percentiles(crowd, began, "saturated"),
    }


def steady(crowd: Crowd, pid: int, per_second: float, lengths: Lengths) -> Numbers:
    """A calm conversation; everyone notes when each message comes."""
    crowd.forget()
    for member in crowd.members:
        member.watch(observes=True)
    senders = pick_senders(crowd)
    began, cpu = clock(), cpu_seconds(pid)
    for number in range(int(lengths.steady * per_second)):
        crowd.run(began + number / per_second)
        crowd.send(senders[number % len(senders)])
    crowd.run(began + lengths.steady)
    busy = (cpu_seconds(pid) - cpu) / (clock() - began)
    complete(crowd)
    return {"steady_busy": busy, **percentiles(crowd, began, "steady")}


def pick_senders(crowd: Crowd) -> Sequence[Member]:
    """Members spread over the whole crowd: some came early, some late."""
    count = min(SENDERS, len(crowd.members))
    return [crowd.members[i * len(crowd.members) // count] for i in range(count)]


def complete(crowd: Crowd) -> None:
    """Wait for what is on its way. Raises IncompleteError unless all came, once."""
    crowd.wait_for(lambda: not crowd.missing() or crowd.lost > 0, PATIENCE)
    if crowd.lost or crowd.missing():
        sent = len(crowd.sent_at)
        raise IncompleteError(
            f"Of {sent} messages to {len(crowd.members)} members, "
            f"{crowd.missing()} deliveries are wrong; {crowd.lost} sockets were lost."
        )


def percentiles(crowd: Crowd, since: float, name: str) -> Numbers:
    """Latencies of the messages that were sent since then, in milliseconds."""
    times = [took * 1000 for sent_at, took in crowd.latencies if sent_at >= since]
    if len(times) < 2:
        return {}
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {f"{name}_median_ms": cuts[49], f"{name}_p99_ms": cuts[98]}
