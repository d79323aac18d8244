"""Measures the sides, in turns: python -m benchmarks.run --help"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.goals import goals
from benchmarks.machine import description, prepare
from benchmarks.measure import IncompleteError, Lengths, Numbers
from benchmarks.results import Results
from benchmarks.series import PARTS, measure
from benchmarks.services import postgres
from benchmarks.sides import SIDES
from benchmarks.sides.base import CHECKOUT, Place
from benchmarks.table import table

QUICK = Lengths(warm=0.5, saturated=1, steady=1, quiet=1, sockets=100)


def main() -> None:
    options = parse()
    prepare()
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    results = Results(f"{datetime.now(UTC):%Y-%m-%d}", description(), {})
    problems = []
    with postgres() as database:
        place = Place(folder, database, options.project, options.venv)
        sides = []
        for side in (SIDES[name] for name in options.only):
            tell(f"building {side.name}")
            try:
                side.build(place)
                sides.append(side)
            except RuntimeError as problem:
                tell(f"  {problem}")
                problems.append(f"{side.name}: {problem}")
        for number in range(options.rounds):
            for side in sides:
                tell(f"round {number + 1} of {options.rounds}: {side.name}")
                try:
                    for part, numbers in measure(
                        side, place, options.parts, options.lengths
                    ):
                        tell(f"  {part:>8}  {brief(numbers)}")
                        results.add(side.name, part, numbers)
                except (IncompleteError, OSError, RuntimeError) as problem:
                    tell(f"  {problem}")
                    problems.append(f"{side.name}: {problem}")
                results.save(folder / "results.json")
    (folder / "chart.svg").write_text(chart(results))
    (folder / "table.md").write_text(table(results))
    print(table(results))
    tell("\n".join([goals(results), *results.disturbances()]))
    if problems:
        sys.exit("\n".join(problems))


def brief(numbers: Numbers) -> str:
    return "  ".join(f"{name} {value:,.5g}" for name, value in numbers.items())


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run")
    names = lambda text: text.split(",")  # noqa: E731
    parser.add_argument(
        "--only", type=names, default=list(SIDES), help=f"of {','.join(SIDES)}"
    )
    parser.add_argument(
        "--parts", type=names, default=PARTS, help=f"of {','.join(PARTS)}"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=CHECKOUT / ".bench",
        help="where everything is built and the results are written",
    )
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
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
