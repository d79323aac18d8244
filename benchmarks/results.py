"""What was measured, as it lies in a file, and the medians of its rounds."""

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measure import Numbers

# Shares of a core, beyond which a figure is not the side's own.
DISTURBED = 0.1
FULL = 0.9


@dataclass(frozen=True)
class Results:
    date: str
    machine: str
    # side → part → the numbers of each round
    rounds: dict[str, dict[str, list[Numbers]]]

    def add(self, side: str, part: str, numbers: Numbers) -> None:
        self.rounds.setdefault(side, {}).setdefault(part, []).append(numbers)

    @property
    def source(self) -> str:
        """When and where it was measured, and how often."""
        parts = (rounds for side in self.rounds.values() for rounds in side.values())
        *fewer, most = map(str, sorted({len(rounds) for rounds in parts}))
        often = f"medians of {', '.join(fewer)}{' or ' if fewer else ''}{most} rounds"
        if most == "1":
            often = "one round"
        return f"{self.date}, {self.machine}; {often}."

    def median(self, side: str, part: str, name: str) -> float | None:
        """The median of the rounds, if it was measured."""
        measured = [
            numbers[name]
            for numbers in self.rounds.get(side, {}).get(part, [])
            if name in numbers
        ]
        return statistics.median(measured) if measured else None

    def ratio(
        self, side: str, other: str, part: str, name: str, other_part: str = ""
    ) -> float | None:
        """The median of the ratios within each round: noise meets both alike."""
        mine = self.rounds.get(side, {}).get(part, [])
        theirs = self.rounds.get(other, {}).get(other_part or part, [])
        ratios = [
            a[name] / b[name]
            for a, b in zip(mine, theirs, strict=False)
            if a.get(name) and b.get(name)
        ]
        return statistics.median(ratios) if ratios else None

    def disturbances(self) -> list[str]:
        """What else went on: a figure beside it says too little about its side."""
        found = []
        for side, parts in self.rounds.items():
            for part, rounds in parts.items():
                others = max(numbers.get("others_busy", 0) for numbers in rounds)
                generator = max(numbers.get("generator_busy", 0) for numbers in rounds)
                if others > DISTURBED:
                    found.append(f"{side}, {part}: others had {others:.0%} of its core")
                if generator > FULL:
                    found.append(
                        f"{side}, {part}: the generator was at {generator:.0%}"
                    )
        return found

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        return cls(**json.loads(path.read_text()))
