"""What is compared. Each side says how it is built, started and talked to."""

from benchmarks.sides.base import Side
from benchmarks.sides.demo import Demo
from benchmarks.sides.tutorial import Tutorial, TutorialHtmx

SIDES: dict[str, Side] = {
    side.name: side
    for side in (
        Demo("daphne"),
        Demo("uvicorn"),
        Tutorial(),
        TutorialHtmx(),
    )
}
