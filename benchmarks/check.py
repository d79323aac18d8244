"""The simulation beside what was measured: python -m benchmarks.check"""

from functools import partial
from typing import Any

from benchmarks.measure import IN_FLIGHT
from benchmarks.model import load_redis, process, shard
from benchmarks.plan import Plan, quiet
from benchmarks.quiet import FEW, ROOMS
from benchmarks.results import Results
from benchmarks.series import CONVERSATIONS, QUIET
from benchmarks.sides.base import CHECKOUT
from benchmarks.simulation import Simulation
from benchmarks.table import cells, number

HEADINGS = (
    "calm: core used, %",
    "calm: median, ms",
    "full: messages a second",
    "full: median, ms",
)
SERVERS = ("demo-daphne", "demo-uvicorn")


def measured_plan(part: str, per_second: float) -> Plan:
    """One process, as it was measured."""
    conversation = CONVERSATIONS[part]
    members = conversation.members // conversation.rooms
    each = 60 * per_second / conversation.rooms
    return Plan(conversation.members, members, each)


def check(results: Results, redis: dict[str, Any]) -> str:
    lines = [cells("", *HEADINGS), cells("---", *["--:"] * len(HEADINGS))]
    for side in SERVERS:
        for part, conversation in CONVERSATIONS.items():
            costs = process(results, side, redis)
            rate = conversation.per_second
            local = conversation.members / conversation.rooms
            simulation = Simulation(measured_plan(part, rate), costs, shard(redis))
            calm = simulation.run(60)
            simulation = Simulation(measured_plan(part, rate), costs, shard(redis))
            full = simulation.run(10, in_flight=IN_FLIGHT)
            get = partial(results.median, side, part)
            # Where others used the core too, it would have been faster without them.
            rate = (get("deliveries_per_second") or 0) / local
            core = rate / (get("server_busy") or 1)
            lines.append(
                cells(
                    f"{side}, {part}",
                    both(100 * (get("steady_busy") or 0), 100 * calm.process_busy),
                    both(get("steady_median_ms"), calm.median_ms),
                    both(core, full.messages),
                    both(get("saturated_median_ms"), full.median_ms),
                )
            )
    return "\n".join(lines)


def check_quiet(results: Results, redis: dict[str, Any]) -> str:
    """Twice as many quiet sockets as the costs were derived from."""
    headings = ("core used, %", "memory of the sockets, MB")
    lines = [cells("", *headings), cells("---", *["--:"] * len(headings))]
    for side in SERVERS:
        costs = process(results, side, redis)
        get = partial(results.median, side, QUIET)
        most = int(get("most_sockets") or 0)
        plan = Plan(most, most // ROOMS, 0)
        grown = (get("most_kilobytes") or 0) - (get("few_kilobytes") or 0)
        memory = (most - FEW) * costs.kilobytes
        lines.append(
            cells(
                side,
                both(100 * (get("most_busy") or 0), quiet(plan, costs) / 10_000),
                both(grown / 1000, memory / 1000),
            )
        )
    return "\n".join(lines)


def both(measured: float | None, simulated: float) -> str:
    if not measured:
        return "–"
    off = f"{simulated / measured - 1:+.0%}"
    return f"{number(measured)} → {number(simulated)} ({off})"


def main() -> None:
    folder = CHECKOUT / ".bench"
    results = Results.load(folder / "results.json")
    redis = load_redis(folder / "redis.json")
    print(check(results, redis), check_quiet(results, redis), sep="\n\n")


if __name__ == "__main__":
    main()
