"""A day in a plan's life: python -m benchmarks.simulation

One process of many and one shard of several, each a queue on a core of its own.
Messages come by chance (Poisson), and fragments that come within 10 ms of another in
their group share a frame, or within the time that the frame took, as in
`channels_live/delivery/group.py`.
"""

import heapq
import itertools
import random
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from benchmarks.model import Process, Shard
from benchmarks.plan import Plan, quiet

FRAME_WINDOW = 0.01  # of outbox.py
SLICE = 0.02  # what upkeep.py does, it does in threads, bit by bit
MICRO = 1e-6


@dataclass(frozen=True)
class Outcome:
    process_busy: float
    shard_busy: float
    messages: float  # that this process's members got, a second
    median_ms: float
    p99_ms: float


# A job begins, and says what it costs in seconds, and what happens once it is done.
Job = Callable[[float], tuple[float, Callable[[float], None]]]


class Clock:
    """What happens when."""

    def __init__(self) -> None:
        self.events: list[tuple[float, int, Callable[[float], None]]] = []
        self.order = itertools.count()

    def at(self, when: float, happen: Callable[[float], None]) -> None:
        heapq.heappush(self.events, (when, next(self.order), happen))

    def run(self, until: float) -> None:
        while self.events and self.events[0][0] < until:
            now, _, happen = heapq.heappop(self.events)
            happen(now)


class Core:
    """Does one job after the other, in the order in which they come."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jobs: deque[Job] = deque()
        self.is_busy = False
        self.worked = 0.0

    def submit(self, now: float, job: Job) -> None:
        self.jobs.append(job)
        if not self.is_busy:
            self.begin(now)

    def begin(self, now: float) -> None:
        self.is_busy = True
        seconds, then = self.jobs.popleft()(now)
        self.worked += seconds

        def finish(done: float) -> None:
            then(done)
            self.is_busy = False
            if self.jobs:
                self.begin(done)

        self.clock.at(now + seconds, finish)


@dataclass
class Room:
    """A group as one process has it: when its messages were sent that wait here."""

    waiting: list[float] = field(default_factory=list)
    window: bool = False


class Simulation:
    def __init__(
        self, plan: Plan, process: Process, shard: Shard, *, seed: int = 1
    ) -> None:
        self.plan, self.process, self.shard = plan, process, shard
        self.random = random.Random(seed)  # noqa: S311
        self.clock = Clock()
        self.core, self.redis = Core(self.clock), Core(self.clock)
        self.here = max(1, round(plan.groups))
        self.rooms: dict[int, Room] = {}
        self.latencies: list[float] = []
        # What messages took lately until they were published, in whichever process,
        # and until a shard had passed them on, in seconds.
        alone = MICRO * (process.message + process.wait)
        self.published = deque([alone], maxlen=1000)
        self.passed = deque([0.0], maxlen=1000)
        # When the transaction in progress and the one after it are through.
        self.storing = self.storing_next = 0.0
        self.follow = False

    def run(self, seconds: float, *, in_flight: int = 0) -> Outcome:
        """Messages come by chance or, as in a benchmark, each after one was seen."""
        plan = self.plan if not in_flight else replace(self.plan, per_minute=0)
        self.follow = in_flight > 0
        for _ in range(in_flight):
            self.post(0)
        own = plan.messages / plan.processes
        self.poisson(own, self.post)
        self.poisson(plan.heard - own, self.hear)
        self.poisson(plan.messages / plan.shards, self.pass_on)
        self.upkeep(0)
        self.clock.run(seconds)
        cuts = statistics.quantiles(self.latencies, n=100, method="inclusive")
        return Outcome(
            self.core.worked / seconds,
            self.redis.worked / seconds,
            len(self.latencies) / seconds,
            1000 * cuts[49],
            1000 * cuts[98],
        )

    def poisson(self, rate: float, happen: Callable[[float], None]) -> None:
        """Let something happen so many times a second, by chance."""

        def again(now: float) -> None:
            happen(now)
            self.clock.at(now + self.random.expovariate(rate), again)

        if rate > 0:
            self.clock.at(self.random.expovariate(rate), again)

    def post(self, sent: float) -> None:
        """One of this process's own sockets says something."""

        def job(began: float) -> tuple[float, Callable[[float], None]]:
            is_alone = began >= self.storing
            cost = self.process.message if is_alone else self.process.message_full
            return MICRO * cost, publish

        def publish(done: float) -> None:
            took = self.store(done) - sent
            self.published.append(took)
            passed = sent + took + self.random.choice(self.passed)
            self.clock.at(passed, lambda now: self.arrive(now, sent))

        self.core.submit(sent, job)

    def store(self, now: float) -> float:
        """When a message is stored: those that come meanwhile share a transaction."""
        wait = MICRO * self.process.wait
        if now >= self.storing:
            self.storing = self.storing_next
        if now >= self.storing:
            self.storing = self.storing_next = now + wait
        elif self.storing_next <= self.storing:
            self.storing_next = self.storing + wait
        return self.storing_next

    def hear(self, sent: float) -> None:
        """Somebody in another process says something, in a room that is here too."""
        cost = MICRO * self.process.hear
        took = self.random.choice(self.published) + self.random.choice(self.passed)

        def heard(now: float) -> None:
            self.core.submit(
                now, lambda _: (cost, lambda done: self.arrive(done, sent))
            )

        self.clock.at(sent + took, heard)

    def pass_on(self, now: float) -> None:
        """The shard hands a message to the processes that have its group."""
        each = self.plan.subscribed * self.shard.subscriber
        cost = MICRO * (self.shard.publish + each)
        self.redis.submit(
            now, lambda _: (cost, lambda done: self.passed.append(done - now))
        )

    def upkeep(self, now: float) -> None:
        cost = SLICE * MICRO * quiet(self.plan, self.process)
        self.core.submit(now, lambda _: (cost, lambda done: None))
        self.clock.at(now + SLICE, self.upkeep)

    def arrive(self, now: float, sent: float) -> None:
        """A fragment reaches its group in this process."""
        room = self.rooms.setdefault(self.random.randrange(self.here), Room())
        room.waiting.append(sent)
        if not room.window:
            room.window = True
            self.flush(room, now)

    def flush(self, room: Room, now: float) -> None:
        """Write what waits to each of the room's sockets, in one frame."""
        frame: list[float] = []

        def job(began: float) -> tuple[float, Callable[[float], None]]:
            frame.extend(room.waiting)
            room.waiting.clear()
            more = (len(frame) - 1) * self.process.joined
            each = self.process.alone + more if frame else 0
            return MICRO * self.plan.local * each, written

        def written(done: float) -> None:
            room.window = bool(frame)
            if not frame:
                return
            more = (len(frame) - 1) * self.process.joined
            cost = MICRO * self.plan.local * (self.process.alone + more)
            for sent in frame:
                # Anybody among the members: some are written to first, some last.
                seen = done - self.random.random() * cost
                self.latencies.append(seen - sent)
                if self.follow:
                    self.post(done)
            pause = max(FRAME_WINDOW, cost)
            self.clock.at(done + pause, lambda then: self.flush(room, then))

        self.core.submit(now, job)
