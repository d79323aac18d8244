"""The crowd: all members, the messages that they send, and what became of these."""

import select
from collections import Counter, deque
from collections.abc import Callable, Iterable

from benchmarks.frames import encode
from benchmarks.member import MARK, Address, Dialect, Member, clock

# What a person might say. Nothing in it looks like the mark.
SENTENCE = "and the quick brown fox said hello to everybody here"
# Sockets that are being opened at a time: less than the shortest listen backlog.
OPENING = 40
# How often something is looked at that takes a while to look at, in seconds.
LOOK = 0.01
# Messages within a second at most. Nchan numbers those of a room in 16 bits, with a
# sign, and begins anew with each second of the clock: it loses what comes after 32,767.
MOST = 30_000


class Crowd:
    """Reads for all its members, in one thread."""

    def __init__(self, dialect: Dialect, posted: Counter[int]) -> None:
        self.dialect = dialect
        self.posted = posted  # messages of each room, since there is a server
        self.poll = select.epoll()
        self.readers: dict[int, Callable[[], None]] = {}
        self.members: list[Member] = []
        self.opening = 0
        self.lost = 0
        self.sent: Counter[int] = Counter()  # the same, since it began to count
        self.sent_at: list[float] = []
        self.author: list[Member] = []
        self.latencies: list[tuple[float, float]] = []  # when it was sent, how long
        self.doubled = 0
        self.flowing = False
        self.waiting: deque[Member] = deque()  # to send the next

    def open(
        self, addresses: Iterable[tuple[int, Address]], patience: float = 60
    ) -> None:
        """Have members come into rooms, some at a time, and wait until all are in."""
        deadline = clock() + patience
        for room, address in addresses:
            self.wait_while_opening(OPENING, deadline)
            member = Member(self, room, address)
            self.members.append(member)
            self.opening += 1
            descriptor = member.socket.fileno()
            self.readers[descriptor] = member.read
            self.poll.register(descriptor, select.EPOLLIN)
        self.wait_while_opening(1, deadline)

    def close(self) -> None:
        for member in self.members:
            member.socket.close()
        self.poll.close()

    def lose(self, member: Member) -> None:
        self.lost += 1
        member.lost = True
        if not member.is_in:
            self.opening -= 1
        self.poll.unregister(member.socket.fileno())

    def wait_while_opening(self, count: int, deadline: float) -> None:
        while self.opening >= count:
            if clock() > deadline:
                raise TimeoutError(f"{self.opening} sockets are not in yet.")
            self.turn(0.05)

    def turn(self, patience: float) -> None:
        """Read what there is, or will be soon, and let those send who wait."""
        if self.waiting:
            patience = min(patience, LOOK)
        for descriptor, _ in self.poll.poll(patience):
            self.readers[descriptor]()
        while self.flowing and self.waiting and self.may_send():
            self.send(self.waiting.popleft())

    def may_send(self) -> bool:
        return len(self.sent_at) < MOST or clock() - self.sent_at[-MOST] > 1

    def run(self, until: float) -> None:
        """Read for some time."""
        while (left := until - clock()) > 0:
            self.turn(left)

    def rest(self, seconds: float) -> None:
        self.run(clock() + seconds)

    def wait_for(self, condition: Callable[[], bool], patience: float) -> bool:
        """Read until the condition holds, or for so many seconds. Returns which."""
        deadline = clock() + patience
        while not (met := condition()) and clock() < deadline:
            self.rest(LOOK)
        return met

    def send(self, member: Member) -> None:
        number = len(self.sent_at)
        text = f"{MARK.decode()}{number:07d} {SENTENCE}"
        frame = encode(self.dialect.say(text, number).encode())
        self.author.append(member)
        self.sent[member.room] += 1
        self.posted[member.room] += 1
        self.sent_at.append(clock())
        if not member.lost and member.socket.send(frame) < len(frame):
            raise ConnectionError("The server does not read.")

    def observe(self, member: Member, number: int, now: float) -> None:
        sent_at = self.sent_at[number]
        self.latencies.append((sent_at, now - sent_at))
        if number in member.seen:
            self.doubled += 1
        member.seen.add(number)
        if self.flowing and self.author[number] is member:
            self.waiting.append(member)

    def deliveries(self) -> int:
        return sum(member.count for member in self.members)

    def missing(self) -> int:
        """Deliveries that have not come, or came too often."""
        return self.doubled + sum(
            abs(self.sent[member.room] - member.count) for member in self.members
        )

    def forget(self) -> None:
        """Begin to count anew."""
        self.sent.clear()
        self.sent_at.clear()
        self.author.clear()
        self.latencies.clear()
        self.waiting.clear()
        self.doubled = 0
        for member in self.members:
            member.count = 0
            member.seen.clear()
            member.watch(observes=False)
