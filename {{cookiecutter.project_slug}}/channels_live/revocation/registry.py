"""The sockets of a process, by their labels: session, user, groups."""

import time
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import NamedTuple

from channels_live import conf
from channels_live.base.close_code import CloseCode
from channels_live.delivery.socket import Socket

# For how long a revocation also meets those who were still entering, in seconds.
ENTERING = 30


class Revocation(NamedTuple):
    """Sockets that have all the labels had to go at that time."""

    time: float
    labels: list[str]
    code: int

    def meets(self, socket: Socket) -> bool:
        # A session that has ended is read from the database a moment longer.
        is_meant = socket.began <= self.time or self.labels[0].startswith("session:")
        return is_meant and socket.labels.issuperset(self.labels)


class Registry:
    def __init__(self) -> None:
        # Dictionaries for their order: the oldest socket first.
        self._by_label: defaultdict[str, dict[Socket, None]] = defaultdict(dict)
        self._revocations: deque[Revocation] = deque()

    def add(self, socket: Socket, label: str) -> None:
        """Label a socket. What was said of that label while it entered holds for it."""
        socket.labels.add(label)
        sockets = self._by_label[label]
        sockets[socket] = None
        if label.startswith("user:") and len(sockets) > conf.get("SOCKETS_PER_USER"):
            oldest = next(iter(sockets))
            self.discard(oldest, label)
            oldest.terminate(CloseCode.POLICY_VIOLATION)
        for revocation in self._revocations:
            if revocation.meets(socket):
                socket.terminate(revocation.code)

    def discard(self, socket: Socket, label: str) -> None:
        """Take a label off a socket."""
        socket.labels.discard(label)
        sockets = self._by_label[label]
        sockets.pop(socket, None)
        if not sockets:
            del self._by_label[label]

    def remove(self, socket: Socket) -> None:
        for label in tuple(socket.labels):
            self.discard(socket, label)

    def labelled(self, first: str, *others: str) -> list[Socket]:
        """Return the sockets with all of these labels."""
        sockets = self._by_label.get(first, ())
        return [socket for socket in sockets if socket.labels.issuperset(others)]

    def with_labels_of(self, kind: str) -> set[Socket]:
        """Return the sockets with any label of a kind."""
        labels = [label for label in self._by_label if label.startswith(f"{kind}:")]
        return {socket for label in labels for socket in self._by_label[label]}

    def terminate(self, labels: Iterable[str], code: int) -> None:
        """Close every socket that has all the labels, and those that just come in."""
        now = time.monotonic()
        while self._revocations and self._revocations[0].time < now - ENTERING:
            self._revocations.popleft()
        labels = list(labels)
        self._revocations.append(Revocation(now, labels, code))
        for socket in self.labelled(*labels):
            socket.terminate(code)
