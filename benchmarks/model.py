"""What a process and a Redis shard pay for what: constants out of measurements.

A calm run tells how busy a server is. With n sockets in g groups, r messages and f
deliveries a second that is

    base + n × socket + g × group + r × message + f × alone

Quiet crowds of 20 and of 5,000, and 5,000 sockets in one group and in a group each,
give the first three of the five; the last two are what fits all calm runs best, by
least squares of the shares by which it is off.
Under load, messages share transactions and fragments share frames: there a delivery
costs `joined + message_full / n`, which rooms of 10 and of 1,000 give.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.quiet import FEW, ROOMS
from benchmarks.results import Results
from benchmarks.series import ARRIVALS, CONVERSATIONS, QUIET


@dataclass(frozen=True)
class Process:
    """CPU of one server process, in microseconds unless it says otherwise."""

    base: float  # a second, for the process itself
    socket: float  # a second, for one that is open and quiet
    group: float  # a second, for one that has members here
    alone: float  # a delivery in a frame of its own
    joined: float  # one more fragment in a frame that goes out anyway
    message: float  # a message: taken, stored, rendered, published
    message_full: float  # the same, where many share a transaction
    hear: float  # a message that another process published
    wait: float  # what a message waits for others: PostgreSQL, Redis, threads
    connect: float  # a socket that comes in
    kilobytes: float  # memory, for one that is open
    stored: float  # messages a second that a process stores at most


@dataclass(frozen=True)
class Shard:
    """CPU of one Redis, in microseconds for each message."""

    publish: float
    subscriber: float  # more, for each process that has the group
    group_bytes: float


def load_redis(path: Path) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads(path.read_text())
    return measured


def shard(measured: dict[str, Any]) -> Shard:
    return Shard(
        measured["publish_microseconds"],
        measured["subscriber_microseconds"],
        measured["bytes_per_group"],
    )


def process(results: Results, side: str, redis: dict[str, Any]) -> Process:
    def median(part: str, name: str) -> float:
        number = results.median(side, part, name)
        if number is None:
            raise LookupError(f"{side}, {part}: {name} was not measured.")
        return number

    few, many = 1e6 * median(QUIET, "few_busy"), 1e6 * median(QUIET, "many_busy")
    newcomers = median(QUIET, "many_sockets") - FEW
    group = group_cost(results)
    # The few are in 20 rooms, the many in 100.
    socket = at_least_0(many - few - (ROOMS - FEW) * group) / newcomers
    base = at_least_0(few - FEW * (socket + group))
    calm = []
    for part, talk in CONVERSATIONS.items():
        quiet = base + talk.members * socket + talk.rooms * group
        deliveries = talk.per_second * talk.members / talk.rooms
        spoken = 1e6 * median(part, "steady_busy") - quiet
        calm.append((talk.per_second, deliveries, spoken))
    message, alone = fit(calm)

    of_10 = median("10", "server_microseconds_per_delivery")
    of_1000 = median("1000", "server_microseconds_per_delivery")
    message_full = (of_10 - of_1000) / (1 / 10 - 1 / 1000)
    joined = at_least_0(of_1000 - message_full / 1000)
    written = message + 10 * alone / 2
    return Process(
        base=base,
        socket=socket,
        group=group,
        alone=max(alone, joined),
        joined=joined,
        message=max(message, message_full),
        message_full=message_full,
        hear=redis["hear_microseconds"],
        wait=at_least_0(1000 * median("10", "steady_median_ms") - written),
        connect=1000 * median(ARRIVALS, "server_milliseconds_per_connection"),
        kilobytes=(median(QUIET, "many_kilobytes") - median(QUIET, "few_kilobytes"))
        / newcomers,
        stored=median("10", "deliveries_per_second") / 10,
    )


def group_cost(results: Results) -> float:
    """What a quiet group costs. It is the library's work, the same on every server."""
    differences = [
        (groups - together) / (count - 1)
        for side in results.rounds
        if (count := results.median(side, QUIET, "sockets")) is not None
        and (groups := results.median(side, QUIET, "groups_busy")) is not None
        and (together := results.median(side, QUIET, "together_busy")) is not None
    ]
    return at_least_0(1e6 * statistics.mean(differences))


def fit(points: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """The a and b with which a × x + b × y comes closest to z, in shares of z."""
    shares = [(x / z, y / z) for x, y, z in points]
    xx = sum(x * x for x, _ in shares)
    xy = sum(x * y for x, y in shares)
    yy = sum(y * y for _, y in shares)
    x1 = sum(x for x, _ in shares)
    y1 = sum(y for _, y in shares)
    determinant = xx * yy - xy * xy
    return (x1 * yy - y1 * xy) / determinant, (y1 * xx - x1 * xy) / determinant


def at_least_0(value: float) -> float:
    """Differences of small measurements may be below zero, and costs are not."""
    return max(0.0, value)
