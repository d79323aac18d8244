"""What the engine counts; metrics.py says what each number means.

Plain integers, because adding to one costs nothing beside what it counts. Where a
frame goes to a thousand sockets, it is counted once.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from time import time

# The upper bounds of the histogram's buckets, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# What a browser may give as its reason to leave; of others there are thousands.
STANDARD_CODES = range(1000, 1016)


class Counts:
    def __init__(self) -> None:
        self.opened = 0
        self.closed: Counter[tuple[str, str]] = Counter()
        self.refused_handshakes = 0
        self.joins = 0
        self.received = 0
        self.published = 0
        self.fragments = 0
        self.deliveries = 0
        self.frames = 0
        self.catch_ups: Counter[str] = Counter()
        self.catch_up_fragments: Counter[str] = Counter()
        self.skips = 0
        self.repaired = 0
        self.delays = [0] * (len(BUCKETS) + 1)  # one for each bucket, and for the rest
        self.delay = 0.0

    @property
    def open(self) -> int:
        return self.opened - self.closed.total()

    def close(self, how: str, code: int) -> None:
        is_bounded = how != "left" or code in STANDARD_CODES
        self.closed[how, str(code) if is_bounded else "other"] += 1

    def broadcast(self, fragments: int, frames: int, sockets: int) -> None:
        """Count what is written to the sockets of a group."""
        self.fragments += fragments
        self.frames += frames * sockets
        self.deliveries += fragments * sockets

    def arrive(self, published: Iterable[float]) -> None:
        """Count how long ago these fragments were published, which are written now."""
        now = time()
        for moment in published:
            if (delay := now - moment) < 0:
                delay = 0.0  # the clocks of two machines may differ
            self.delays[bisect_left(BUCKETS, delay)] += 1
            self.delay += delay


# Those of this process.
counts = Counts()
