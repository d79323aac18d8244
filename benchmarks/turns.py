"""How long lone messages take, measured in turns: python -m benchmarks.turns

Within minutes, a machine needs more or less time for the same. So all servers run at
once, each is measured for some seconds in turn, and a ratio is the median of all turns.
"""

import argparse
import statistics
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load import Crowd
from benchmarks.machine import prepare
from benchmarks.measure import Lengths, settle, steady
from benchmarks.series import CONVERSATIONS
from benchmarks.services import postgres
from benchmarks.sides import SIDES
from benchmarks.sides.base import CHECKOUT, Place
from benchmarks.stage import Stage, staged

NAMES = "demo-daphne,demo-uvicorn,tutorial"
ROOM = CONVERSATIONS["10"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.turns")
    parser.add_argument("--only", default=NAMES, help=f"({NAMES}; ratios to the last)")
    parser.add_argument("--turns", type=int, default=12, help="(default: 12)")
    parser.add_argument("--seconds", type=float, default=2, help="of each turn (2)")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / ".bench")
    parser.add_argument("--project", type=Path, help="a generated project to measure")
    parser.add_argument("--venv", type=Path, help="its environment, unless it is .venv")
    options = parser.parse_args()
    prepare()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    names = options.only.split(",")
    lengths = Lengths(steady=options.seconds)
    medians: list[list[float]] = []
    with postgres() as database, ExitStack() as stack:
        place = Place(folder, database, options.project, options.venv)
        for name in names:
            SIDES[name].build(place)
        stages = [stack.enter_context(staged(SIDES[name], place)) for name in names]
        crowds = [enter(stage, stack) for stage in stages]
        for _ in range(options.turns):
            medians.append([])
            for stage, crowd in zip(stages, crowds, strict=True):
                calm = steady(crowd, stage.server.pid, ROOM.per_second, lengths)
                medians[-1].append(calm["steady_median_ms"])
                for other in crowds:  # so that the servers' pings are answered
                    other.turn(0)
    for name, times in zip(names, zip(*medians, strict=True), strict=True):
        ratios = [time / turn[-1] for time, turn in zip(times, medians, strict=True)]
        ratio, median = statistics.median(ratios), statistics.median(times)
        print(f"{name:12}  {median:.2f} ms, {ratio:.2f} × {names[-1]}")


def enter(stage: Stage, stack: ExitStack) -> Crowd:
    crowd = stack.enter_context(stage.crowd())
    crowd.open(stage.entrances(range(ROOM.members), rooms=ROOM.rooms))
    settle(crowd)
    return crowd


if __name__ == "__main__":
    main()
