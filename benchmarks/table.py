"""The results as one Markdown table."""

from benchmarks.results import Results
from benchmarks.series import ARRIVALS, CONVERSATIONS, REGIONS
from benchmarks.sides import SIDES

HEADINGS = {
    "10": "10 members of one room",
    "100": "100 members of one room",
    "1000": "1,000 members of one room",
    "1000/100": "1,000 members in 100 rooms",
    ARRIVALS: "1,000 connections",
    REGIONS: "1,000 pages with a live region",
}
# Name of a row → number that it shows, and the number after the slash.
CONVERSATION_ROWS = {
    "deliveries per second": ("deliveries_per_second", ""),
    "server CPU for each, µs": ("server_microseconds_per_delivery", ""),
    "latency, {rate}: median / p99, ms": ("steady_median_ms", "steady_p99_ms"),
    "latency, 64 in flight: median / p99, ms": (
        "saturated_median_ms",
        "saturated_p99_ms",
    ),
}
ARRIVAL_ROWS = {
    "accepted per second": ("connections_per_second", ""),
    "server CPU for each, ms": ("server_milliseconds_per_connection", ""),
    "memory for each, KB": ("kilobytes_per_connection", ""),
    "all back after a restart, s": ("back_seconds", ""),
    "… with messages that they missed": ("caught_up", ""),
}
REGION_ROWS = {
    "a socket that joins a group: server CPU, ms": ("group_milliseconds", ""),
    "a page with a state of its own: server CPU, ms": ("each_milliseconds", ""),
    "… with `get_contexts`": ("bulk_milliseconds", ""),
    "a change that all pages show: until they do, ms": ("change_median_ms", ""),
    "… server CPU, ms": ("server_milliseconds_per_change", ""),
}
ROWS = {ARRIVALS: ARRIVAL_ROWS, REGIONS: REGION_ROWS}


def table(results: Results) -> str:
    sides = [side for side in SIDES.values() if side.name in results.rounds]
    lines = [
        cells("", *(side.title for side in sides)),
        cells("---", *("--:" for _ in sides)),
    ]
    for part, heading in HEADINGS.items():
        if not any(part in parts for parts in results.rounds.values()):
            continue
        lines.append(cells(f"**{heading}**", *("" for _ in sides)))
        for name, numbers in ROWS.get(part, CONVERSATION_ROWS).items():
            shown = (show(results, side.name, part, *numbers) for side in sides)
            lines.append(cells(name.format(rate=rate(part)), *shown))
    return "\n".join(lines) + f"\n\n{results.source}\n"


def rate(part: str) -> str:
    return f"{CONVERSATIONS[part].per_second} a second" if part in CONVERSATIONS else ""


def cells(*texts: str) -> str:
    return f"| {' | '.join(texts)} |"


def show(results: Results, side: str, part: str, *names: str) -> str:
    shown = [number(results.median(side, part, name)) for name in names if name]
    return " / ".join(shown)


def number(value: float | None) -> str:
    """Three digits are more than a benchmark knows."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.1f}" if value % 1 else f"{value:.0f}"
