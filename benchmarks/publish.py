"""Puts the results of the last run into the README: python -m benchmarks.publish"""

import re

from benchmarks.chart import chart
from benchmarks.results import Results
from benchmarks.sides.base import CHECKOUT
from benchmarks.table import table

README = CHECKOUT / "README.md"
CHART = CHECKOUT / "benchmarks" / "chart.svg"
BEGIN = "<!-- benchmark -->"
END = "<!-- /benchmark -->"


def main() -> None:
    results = Results.load(CHECKOUT / ".bench" / "results.json")
    CHART.write_text(chart(results))
    picture = "![Messages delivered per second](benchmarks/chart.svg)"
    shown = f"{BEGIN}\n\n{picture}\n\n{table(results)}\n{END}"
    text, found = re.subn(
        f"{BEGIN}.*{END}", lambda _: shown, README.read_text(), flags=re.S
    )
    if not found:
        raise SystemExit(f"{README} has no place for it: {BEGIN} … {END}")
    README.write_text(text)


if __name__ == "__main__":
    main()
