"""One member of the crowd: a socket that counts the messages it is sent.

A thousand of them live in one process, so reading does as little as can be: it counts
a mark that each message carries once. Only those who send, and in a calm run everyone,
also look at which messages they were.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.frames import PONG, encode, handshake

if TYPE_CHECKING:
    from benchmarks.load import Crowd

MARK = b"zqx"
NUMBERS = re.compile(rb"zqx(\d{7})")
# A mark and its number are ten bytes: the last nine may be a part of them.
TAIL = 9
PING = b"\x89"
PINGS = re.compile(rb"\x89([\x00-\x7d])")
# One for all sockets: whatever is read is counted at once.
BUFFER = bytearray(256 * 1024)
clock = time.perf_counter


@dataclass(frozen=True)
class Address:
    """How one member gets into a room."""

    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    greeting: str = ""  # sent once the socket is open


@dataclass(frozen=True)
class Dialect:
    """What the sides do differently on the wire."""

    say: Callable[[str, int], str]  # text and number of a message → payload
    greetings: Sequence[str] = ()  # the same, of every member
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
        "greetings",
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

    def __init__(self, crowd: Crowd, room: int, address: Address) -> None:
        self.crowd = crowd
        self.room = room
        self.dialect = crowd.dialect
        self.greetings = [*crowd.dialect.greetings, *filter(None, [address.greeting])]
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
            for greeting in self.greetings:
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
