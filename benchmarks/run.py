"""Measures the sides, in turns: python -m benchmarks.run --help"""

import argparse
import json
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.load import Crowd
from benchmarks.machine import description, prepare, wait_until_idle
from benchmarks.measure import Incomplete, Lengths, Numbers, saturate, settle, steady
from benchmarks.services import Server, postgres, redis, serving
from benchmarks.sides import SIDES
from benchmarks.sides.base import CHECKOUT, Place, Side, Visit, visiting

# Members, rooms, messages a second in the calm run: what the slowest side can bear.
SCENARIOS = {
    "10": (10, 1, 20),
    "100": (100, 1, 20),
    "1000": (1000, 1, 1),
    "1000/100": (1000, 100, 20),
}
QUICK = Lengths(warm=0.5, saturated=1.5, steady=1.5)


def main() -> None:
    options = parse()
    prepare()
    sides = [SIDES[name] for name in options.only]
    folder = CHECKOUT / ".bench"
    folder.mkdir(exist_ok=True)
    results: dict[str, dict[str, list[Numbers]]] = {}
    with postgres() as database:
        place = Place(folder, database, options.project, options.venv)
        for side in sides:
            tell(f"building {side.name}")
            side.build(place)
        for number in range(options.rounds):
            for side in sides:
                tell(f"round {number + 1}: {side.name}")
                measured = measure(side, place, options.members, options.lengths)
                for scenario, numbers in measured.items():
                    results.setdefault(side.name, {}).setdefault(scenario, []).append(
                        numbers
                    )
                    tell(f"  {scenario:>8} members  {brief(numbers)}")
    report = {"machine": description(), "results": results}
    (folder / "results.json").write_text(json.dumps(report, indent=1))
    for name, scenarios in results.items():
        for scenario, rounds in scenarios.items():
            print(f"{name:16} {scenario:>8}  {brief(median(rounds))}")


def measure(
    side: Side, place: Place, scenarios: Sequence[str], lengths: Lengths
) -> dict[str, Numbers]:
    """One series of measurements of one side, on a server of its own."""
    log = place.folder / f"{side.name}.log"
    measured = {}
    with (
        redis() as url,
        visiting(side, place, url) as visit,
        serving(visit.command, log) as server,
    ):
        posted: Counter[int] = Counter()
        for scenario in scenarios:
            try:
                measured[scenario] = converse(
                    side, visit, server, posted, scenario, lengths
                )
            except (Incomplete, OSError) as problem:
                tail = log.read_text()[-2000:]
                raise SystemExit(f"{side.name}, {scenario}: {problem}\n{tail}") from None
    return measured


def converse(
    side: Side,
    visit: Visit,
    server: Server,
    posted: Counter[int],
    scenario: str,
    lengths: Lengths,
) -> Numbers:
    members, rooms, per_second = SCENARIOS[scenario]
    crowd = Crowd(side.dialect, posted)
    try:
        crowd.open(
            (n % rooms, visit.address(server.port, n, n % rooms, posted[n % rooms]))
            for n in range(members)
        )
        settle(crowd)
        return {
            **steady(crowd, per_second, lengths),
            **saturate(crowd, server.pid, lengths),
        }
    finally:
        crowd.close()
        wait_until_idle(server.pid)


def median(rounds: Sequence[Numbers]) -> Numbers:
    return {
        name: statistics.median(numbers[name] for numbers in rounds if name in numbers)
        for name in rounds[0]
    }


def brief(numbers: Numbers) -> str:
    return (
        f"{numbers['deliveries_per_second']:>9,.0f}/s"
        f"  {numbers['server_microseconds_per_delivery']:7.1f} µs CPU"
        f"  calm {numbers.get('steady_median_ms', 0):7.1f}"
        f" p99 {numbers.get('steady_p99_ms', 0):7.1f} ms"
        f"  full {numbers.get('saturated_median_ms', 0):7.0f}"
        f" p99 {numbers.get('saturated_p99_ms', 0):7.0f} ms"
        f"  busy {numbers['server_busy']:.0%} server {numbers['generator_busy']:.0%} load"
    )


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run")
    names = lambda text: text.split(",")  # noqa: E731
    parser.add_argument(
        "--only", type=names, default=list(SIDES), help=f"of {','.join(SIDES)}"
    )
    parser.add_argument(
        "--members", type=names, default=list(SCENARIOS), help=f"of {','.join(SCENARIOS)}"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a smoke run, one round")
    parser.add_argument("--project", type=Path, help="a generated project to measure")
    parser.add_argument("--venv", type=Path, help="its environment, unless it is .venv")
    options = parser.parse_args()
    options.lengths = QUICK if options.quick else Lengths()
    if options.quick:
        options.rounds = 1
    return options


if __name__ == "__main__":
    main()
