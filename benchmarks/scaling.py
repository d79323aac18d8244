"""The tables of docs/scaling.md."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.check import check, check_quiet
from benchmarks.model import Process, Shard, process, shard
from benchmarks.plan import Plan, size
from benchmarks.results import Results
from benchmarks.sides.base import CHECKOUT
from benchmarks.simulation import Outcome, Simulation
from benchmarks.table import cells, number

PROJECT = CHECKOUT / "{{cookiecutter.project_slug}}"
PROCESS = PROJECT / "channels_live" / "process.py"
HUB = PROJECT / "channels_live" / "delivery" / "hub.py"
SETTINGS = PROJECT / "config" / "settings.py"
THREADS = PROJECT / "channels_live" / "base" / "threads.py"
SERVERS = {"daphne": "demo-daphne", "uvicorn": "demo-uvicorn"}
ROOM = 50
PER_MINUTE = 6
PLANS = {
    "10 thousand": Plan(10_000, ROOM, PER_MINUTE),
    "1 million": Plan(1_000_000, ROOM, PER_MINUTE),
    "1 million, by room": Plan(1_000_000, ROOM, PER_MINUTE, by_room=True),
    "10 million, by room": Plan(10_000_000, ROOM, PER_MINUTE, by_room=True),
}
SIMULATED = 20  # seconds of each plan


def tables(results: Results, redis: dict[str, Any]) -> dict[str, str]:
    """What belongs between which markers."""
    costs = {name: process(results, side, redis) for name, side in SERVERS.items()}
    return {
        "constants": f"{constants(costs, shard(redis))}\n\n{results.source}",
        "plans": plans(costs, shard(redis)),
        "check": check(results, redis),
        "quiet": check_quiet(results, redis),
    }


def constants(costs: dict[str, Process], redis: Shard) -> str:
    rows: dict[str, Callable[[Process], float]] = {
        "a socket that opens: CPU, ms": lambda one: one.connect / 1000,
        "an open socket: memory, KB": lambda one: one.kilobytes,
        "the process itself: CPU, µs a second": lambda one: one.base,
        "an open, quiet socket: CPU, µs a second": lambda one: one.socket,
        "a group with members here: CPU, µs a second": lambda one: one.group,
        "a message received alone: CPU, ms": lambda one: one.message / 1000,
        "the same under load: CPU, ms": lambda one: one.message_full / 1000,
        "messages that a process can store, a second": lambda one: one.stored,
        "a message of another process: CPU, µs": lambda one: one.hear,
        "a delivery in its own frame: CPU, µs": lambda one: one.alone,
        "one more in a frame that goes out: CPU, µs": lambda one: one.joined,
    }
    lines = [cells("a process", *costs), cells("---", *("--:" for _ in costs))]
    for name, get in rows.items():
        lines.append(cells(name, *(number(get(one)) for one in costs.values())))
    return "\n".join(
        [
            *lines,
            "",
            cells("a Redis shard", ""),
            cells("---", "--:"),
            cells("a message: CPU, µs", number(redis.publish)),
            cells("… more for each process in the group", number(redis.subscriber)),
            cells("a group of a process: memory, bytes", number(redis.group_bytes)),
        ]
    )


def plans(costs: dict[str, Process], redis: Shard) -> str:
    columns = [column(plan, costs, redis) for plan in PLANS.values()]
    lines = [cells("open sockets", *PLANS), cells("---", *("--:" for _ in PLANS))]
    lines += [cells(name, *values) for name, values in rows(columns)]
    return "\n".join(lines)


def rows(columns: list[dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for name in columns[0]:
        yield name, [column[name] for column in columns]


def column(plan: Plan, costs: dict[str, Process], redis: Shard) -> dict[str, str]:
    uvicorn = size(plan, costs["uvicorn"], redis)
    daphne = size(plan, costs["daphne"], redis)
    found = simulate(uvicorn, costs["uvicorn"], redis)
    mine = uvicorn.sockets / uvicorn.processes
    often = uvicorn.processes / interval("REPAIR")
    at_most = min(uvicorn.groups, stated(r"^LOOK = (\d+)$", HUB))
    back = mine * costs["uvicorn"].connect / 1e6
    return {
        "messages a second": number(plan.messages),
        "processes (daphne)": f"{uvicorn.processes:,} ({daphne.processes:,})",
        "sockets of a process": number(mine),
        "memory of a process's sockets, MB": number(
            mine * costs["uvicorn"].kilobytes / 1000
        ),
        "groups of a process": number(uvicorn.groups),
        "processes that receive a message": number(uvicorn.subscribed),
        "Redis shards": f"{uvicorn.shards}",
        "a process's core is used": f"{found.process_busy:.0%}",
        "a shard's core is used": f"{found.shard_busy:.0%}",
        "latency: median / p99, ms": (
            f"{number(found.median_ms)} / {number(found.p99_ms)}"
        ),
        "PostgreSQL: groups looked up a second": number(often * at_most),
        "… while Redis is away": number(often * uvicorn.groups),
        "PostgreSQL: connections at most": number(uvicorn.processes * pool()),
        "all back after a deployment, s": number(back),
    }


def simulate(plan: Plan, process: Process, redis: Shard) -> Outcome:
    return Simulation(plan, process, redis).run(SIMULATED)


def interval(name: str) -> float:
    """How often a process does something, in seconds."""
    return stated(rf"^{name}_INTERVAL = ([\d.]+)$", PROCESS)


def pool() -> float:
    """How many connections a process may have to PostgreSQL."""
    own = stated(r'^_own = Lane\("channels_live", (\d+)', THREADS)
    return own + stated(r'"max_size": (\d+)', SETTINGS)


def stated(pattern: str, path: Path) -> float:
    found = re.search(pattern, path.read_text(), re.M)
    if not found:
        raise LookupError(f"{path.name} does not say {pattern}.")
    return float(found[1])
