"""What the demo has to reach beside its peers, and whether it did."""

from benchmarks.results import Results
from benchmarks.series import ARRIVALS, QUIET, REGIONS, ROOMS

DEMOS = ("demo-daphne", "demo-uvicorn")
ENGINES = ("engine-daphne", "engine-uvicorn")
RATE = "deliveries_per_second"
# What is compared, with whom, in which part, which number, and the goal.
AT_LEAST = [
    ("demo-daphne", "tutorial", "1000", RATE, 12.0),
    ("demo-daphne", "tutorial", "100", RATE, 5.0),
    ("demo-uvicorn", "broadcaster", "1000", RATE, 5.0),
    ("demo-uvicorn", "node-ws", "1000", RATE, 1.5),
    ("demo-uvicorn", "limit", "1000", RATE, 1.5),
    ("demo-daphne", "tutorial", ARRIVALS, "connections_per_second", 1.6),
    ("demo-uvicorn", "tutorial", ARRIVALS, "connections_per_second", 2.5),
    *(
        goal
        for demo in DEMOS
        for goal in (
            (demo, "tutorial", "1000/100", RATE, 4.0),
            (demo, "broadcaster-stored", "1000/100", RATE, 1.0),
            (demo, "node-ws-stored", "1000/100", RATE, 0.25),
        )
    ),
    *(
        (engine, "broadcaster", part, RATE, 1.2)
        for engine in ENGINES
        for part in ("10", "1000/100")
    ),
]
AT_MOST = [
    ("demo-daphne", "tutorial", "100", "steady_p99_ms", 0.5),
    ("demo-daphne", "tutorial", ARRIVALS, "kilobytes_per_connection", 1.0),
    *((demo, "tutorial", "10", "steady_median_ms", 1.0) for demo in DEMOS),
]
BACK = {"demo-daphne": 2.0, "demo-uvicorn": 1.5}  # seconds
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
    for side in DEMOS:
        ratio = results.ratio(side, side, "1000", CPU, "10")
        lines.append(line(side, f"itself with 10: {CPU}", ratio, 1, at_least=False))
        lines.append(return_line(results, side))
        room = results.median(side, ROOMS, "kilobytes_per_room")
        lines.append(line(side, f"1 KB, {ROOMS}: each", room, 10, at_least=False))
    for side in ENGINES:
        for kind, goal in (("each", 2), ("bulk", 1.3)):
            mine = results.median(side, REGIONS, f"{kind}_milliseconds")
            group = results.median(side, REGIONS, "group_milliseconds")
            ratio = mine / group if mine and group else None
            what = f"a socket that joins a group, {REGIONS}: {kind}_milliseconds"
            lines.append(line(side, what, ratio, goal, at_least=False))
        for name, goal in (("groups_busy", 0.03), ("regions_busy", 0.04)):
            share = results.median(side, QUIET, name)
            what = f"a core, {QUIET}: {name}"
            lines.append(line(side, what, share, goal, at_least=False))
    return "\n".join(filter(None, lines))


def line(
    side: str, what: str, ratio: float | None, goal: float, *, at_least: bool
) -> str:
    if ratio is None:
        return ""
    reached = ratio >= goal if at_least else ratio <= goal
    sign = "≥" if at_least else "≤"
    mark = "yes" if reached else "NO"
    return f"{mark:3}  {side} / {what}: {ratio:.3g} × (goal {sign} {goal:g})"


def return_line(results: Results, side: str) -> str:
    """How long a thousand take to be back, from the moment that the server listens."""
    back = results.median(side, ARRIVALS, "back_seconds")
    boot = results.median(side, ARRIVALS, "boot_seconds")
    if back is None or boot is None:
        return ""
    goal = BACK[side]
    mark = "yes" if back - boot <= goal else "NO"
    return f"{mark:3}  {side} back once it listens: {back - boot:.1f} s (goal ≤ {goal})"
