"""Puts the last results into the README and docs/scaling.md.

python -m benchmarks.publish
"""

import argparse
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.model import load_redis
from benchmarks.results import Results
from benchmarks.scaling import PROJECT, tables
from benchmarks.sides.base import CHECKOUT
from benchmarks.table import table

README = CHECKOUT / "README.md"
CHART = CHECKOUT / "benchmarks" / "chart.svg"
SCALING = PROJECT / "docs" / "scaling.md"
PICTURE = "![Messages delivered per second](benchmarks/chart.svg)"
PARTS = ("readme", "scaling")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".bench")
    parser.add_argument("--only", choices=PARTS, help="one of the two")
    options = parser.parse_args()
    results = Results.load(options.folder / "results.json")
    if options.only != "scaling":
        CHART.write_text(chart(results))
        fill(README, {"benchmark": f"{PICTURE}\n\n{table(results).rstrip()}"})
    if options.only != "readme":
        redis = load_redis(options.folder / "redis.json")
        fill(SCALING, tables(results, redis))


def fill(path: Path, texts: dict[str, str]) -> None:
    """Put each text between its markers: `<!-- name -->` and `<!-- /name -->`."""
    page = path.read_text()
    for name, text in texts.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise SystemExit(f"{path} has no place for it: {begin} … {end}")
        page = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    path.write_text(page)


if __name__ == "__main__":
    main()
