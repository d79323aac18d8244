"""What is compared. Each side says how it is built, started and talked to."""

from benchmarks.sides.base import Side
from benchmarks.sides.broadcaster import Broadcaster, StoredBroadcaster
from benchmarks.sides.demo import Demo
from benchmarks.sides.engine import Engine
from benchmarks.sides.limit import Limit
from benchmarks.sides.nchan import Nchan
from benchmarks.sides.node import NodeWs, SocketIo, StoredNodeWs
from benchmarks.sides.tutorial import Tutorial, TutorialHtmx

SIDES: dict[str, Side] = {
    side.name: side
    for side in (
        Demo("daphne"),
        Demo("uvicorn"),
        Engine("daphne"),
        Engine("uvicorn"),
        Tutorial(),
        TutorialHtmx(),
        Broadcaster(),
        StoredBroadcaster(),
        NodeWs(),
        StoredNodeWs(),
        SocketIo(),
        Nchan(),
        Limit(),
    )
}
