"""What the demo has to reach beside its peers, and whether it did."""

from benchmarks.results import Results
from benchmarks.series import ARRIVALS

RATE = "deliveries_per_second"
# What is compared, with whom, in which part, which number, and the goal.
AT_LEAST = [
    ("demo-daphne", "tutorial", "1000", RATE, 12.0),
    ("demo-daphne", "tutorial", "100", RATE, 5.0),
    ("demo-uvicorn", "broadcaster", "1000", RATE, 5.0),
    ("demo-uvicorn", "node-ws", "1000", RATE, 1.5),
    ("demo-uvicorn", "limit", "1000", RATE, 1.5),
    ("demo-daphne", "tutorial", ARRIVALS, "connections_per_second", 1.0),
]
AT_MOST = [
    ("demo-daphne", "tutorial", "100", "steady_p99_ms", 0.5),
    ("demo-daphne", "tutorial", ARRIVALS, "kilobytes_per_connection", 1.0),
]
CPU = "server_microseconds_per_delivery"


def goals(results: Results) -> str:
    lines = []
    for side, other, part, name, goal in AT_LEAST:
        ratio = results.ratio(side, other, part, name)
        lines.append(line(side, f"{other}, {part}: {name}", ratio, goal, at_least=True))
    for side, other, part, name, goal in AT_MOST:
        ratio = results.ratio(side, other, part, name)
        lines.append(
            line(side, f"{other}, {part}: {name}", ratio, goal, at_least=False)
        )
    for side in ("demo-daphne", "demo-uvicorn"):
        ratio = results.ratio(side, side, "1000", CPU, "10")
        lines.append(line(side, f"itself with 10: {CPU}", ratio, 1, at_least=False))
        lines.append(return_line(results, side))
    return "\n".join(filter(None, lines))


def line(
    side: str, what: str, ratio: float | None, goal: float, *, at_least: bool
) -> str:
    if ratio is None:
        return ""
    reached = ratio >= goal if at_least else ratio <= goal
    sign = "≥" if at_least else "≤"
    mark = "yes" if reached else "NO"
    return f"{mark:3}  {side} / {what}: {ratio:.2f} × (goal {sign} {goal:g})"


def return_line(results: Results, side: str) -> str:
    back = results.median(side, ARRIVALS, "back_seconds")
    rate = results.median(side, ARRIVALS, "connections_per_second")
    if back is None or rate is None:
        return ""
    longer = back - 1000 / rate
    mark = "yes" if longer <= 5 else "NO"
    return f"{mark:3}  {side} back: {longer:.1f} s more than accepting (goal ≤ 5)"
