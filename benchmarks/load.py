"""The crowd: a thousand WebSockets in one process, with as little work per frame as can be.

One thread waits for all sockets, reads what there is and counts the messages in it, by
a mark that each message carries once. Only those who send, and in the latency runs
everyone, also look at which messages they were.
"""

import re
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.frames import PONG, encode, handshake

MARK = b"zqx"
NUMBERS = re.compile(rb"zqx(\d{7})")
# What a person might say. Nothing in it looks like the mark.
SENTENCE = "and the quick brown fox said hello to everybody here"
# A mark and its number are ten bytes: the last nine may be a part of them.
TAIL = 9
PING = b"\x89"
PINGS = re.compile(rb"\x89([\x00-\x7d])")
# One for all sockets: whatever is read is counted at once.
BUFFER = bytearray(256 * 1024)
# Sockets that are being opened at a time: less than the shortest listen backlog.
OPENING = 40
clock = time.perf_counter


@dataclass(frozen=True)
class Address:
    """How one member gets into a room."""

    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dialect:
    """What the sides do differently on the wire."""

    say: Callable[[str, int], str]  # text and number of a message → payload
    greetings: Sequence[str] = ()  # sent once the socket is open
    welcome: bytes = b""  # bytes that the server sends when one is really in
    ping: bytes = PING  # bytes that ask for a sign of life
    pong: bytes = encode(b"", PONG)


class Member:
    """One socket in one room."""

    __slots__ = (
        "carry",
        "count",
        "crowd",
        "dialect",
        "head",
        "is_in",
        "looks_closely",
        "lost",
        "observes",
        "ping",
        "receive",
        "room",
        "seen",
        "socket",
    )

    def __init__(self, crowd: "Crowd", room: int, address: Address) -> None:
        self.crowd = crowd
        self.room = room
        self.dialect = crowd.dialect
        self.ping = crowd.dialect.ping
        self.count = 0
        self.carry = b""
        self.head: bytes | None = b""  # the answer to the handshake, until it is whole
        self.is_in = self.lost = self.observes = False
        self.looks_closely = True
        self.seen: set[int] = set()
        self.socket = socket.create_connection(("127.0.0.1", address.port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host = f"127.0.0.1:{address.port}"
        self.socket.send(handshake(host, address.path, address.headers))
        self.socket.setblocking(False)
        self.receive = self.socket.recv_into

    def read(self) -> None:
        try:
            size = self.receive(BUFFER)
        except BlockingIOError:
            return
        except ConnectionError:
            size = 0
        if not size:
            self.crowd.lose(self)
        elif (
            self.looks_closely
            or BUFFER.find(self.ping, 0, size) >= 0
            or BUFFER.find(b"z", max(0, size - TAIL), size) >= 0
        ):
            self.look(self.carry + BUFFER[:size])
        else:
            self.count += BUFFER.count(MARK, 0, size)

    def look(self, data: bytes) -> None:
        """Read what is more than messages to be counted."""
        if not self.is_in:
            data = self.enter(data)
        if self.ping in data:
            self.answer_ping(data)
        # What may be the beginning of a mark and its number waits for the rest.
        cut = data.find(b"z", -TAIL)
        data, self.carry = (data[:cut], data[cut:]) if cut >= 0 else (data, b"")
        self.looks_closely = self.observes or not self.is_in or cut >= 0
        self.count += data.count(MARK)
        if self.observes:
            now = clock()
            for number in NUMBERS.findall(data):
                self.crowd.observe(self, int(number), now)

    def watch(self, *, observes: bool) -> None:
        """Whether this member notes which message came when."""
        self.observes = self.looks_closely = observes

    def enter(self, data: bytes) -> bytes:
        """Read the answer to the handshake, and wait for the welcome."""
        if self.head is not None:
            self.head += data
            head, end, data = self.head.partition(b"\r\n\r\n")
            if not end:
                return b""
            if not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(f"Refused: {head.splitlines()[0].decode()}")
            self.head = None
            for greeting in self.dialect.greetings:
                self.socket.send(encode(greeting.encode()))
        if self.dialect.welcome in data:
            self.is_in = True
            self.crowd.opening -= 1
        return data

    def answer_ping(self, data: bytes) -> None:
        """A byte that only looks like a ping gets a pong too, which does no harm."""
        if self.ping != PING:
            self.socket.send(self.dialect.pong)
            return
        for found in PINGS.finditer(data):
            payload = data[found.end() : found.end() + found[1][0]]
            self.socket.send(encode(payload, PONG))


class Crowd:
    """All members, the messages that they send, and what became of these."""

    def __init__(self, dialect: Dialect, posted: Counter[int]) -> None:
        self.dialect = dialect
        self.posted = posted  # messages of each room, since there is a server
        self.poll = select.epoll()
        self.readers: dict[int, Callable[[], None]] = {}
        self.members: list[Member] = []
        self.opening = 0
        self.lost = 0
        self.sent_at: list[float] = []
        self.author: list[Member] = []
        self.latencies: list[tuple[float, float]] = []  # when it was sent, how long
        self.doubled = 0
        self.flowing = False

    def open(
        self, addresses: Iterable[tuple[int, Address]], patience: float = 60
    ) -> None:
        """Have members come into rooms, some at a time, and wait until all are in."""
        deadline = clock() + patience
        for room, address in addresses:
            self.wait_for(lambda: self.opening < OPENING, deadline)
            member = Member(self, room, address)
            self.members.append(member)
            self.opening += 1
            descriptor = member.socket.fileno()
            self.readers[descriptor] = member.read
            self.poll.register(descriptor, select.EPOLLIN)
        self.wait_for(lambda: not self.opening, deadline)

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

    def run(self, until: float) -> None:
        """Read for some time."""
        wait, readers = self.poll.poll, self.readers
        while (left := until - clock()) > 0:
            for descriptor, _ in wait(left):
                readers[descriptor]()

    def rest(self, seconds: float) -> None:
        self.run(clock() + seconds)

    def wait_for(self, condition: Callable[[], bool], deadline: float) -> bool:
        """Read until the condition holds. Returns whether it does."""
        while not (met := condition()) and (now := clock()) < deadline:
            for descriptor, _ in self.poll.poll(min(0.05, deadline - now)):
                self.readers[descriptor]()
        return met

    def send(self, member: Member) -> None:
        number = len(self.sent_at)
        text = f"{MARK.decode()}{number:07d} {SENTENCE}"
        frame = encode(self.dialect.say(text, number).encode())
        self.author.append(member)
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
            self.send(member)

    def deliveries(self) -> int:
        return sum(member.count for member in self.members)

    def expected(self) -> dict[int, int]:
        """How many messages were sent into each room."""
        sent: dict[int, int] = {}
        for author in self.author:
            sent[author.room] = sent.get(author.room, 0) + 1
        return sent

    def missing(self) -> int:
        """Deliveries that have not come, or came too often."""
        sent = self.expected()
        return self.doubled + sum(
            abs(sent.get(member.room, 0) - member.count) for member in self.members
        )

    def forget(self) -> None:
        """Begin to count anew."""
        self.sent_at.clear()
        self.author.clear()
        self.latencies.clear()
        self.doubled = 0
        for member in self.members:
            member.count = 0
            member.seen.clear()
            member.watch(observes=False)
