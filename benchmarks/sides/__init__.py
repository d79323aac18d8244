"""What is compared. Each side says how it is built, started and talked to."""

from benchmarks.sides.base import Side
from benchmarks.sides.broadcaster import Broadcaster
from benchmarks.sides.demo import Demo
from benchmarks.sides.limit import Limit
from benchmarks.sides.node import NodeWs, SocketIo
from benchmarks.sides.tutorial import Tutorial, TutorialHtmx

SIDES: dict[str, Side] = {
    side.name: side
    for side in (
        Demo("daphne"),
        Demo("uvicorn"),
        Tutorial(),
        TutorialHtmx(),
        Broadcaster(),
        NodeWs(),
        SocketIo(),
        Limit(),
    )
}
