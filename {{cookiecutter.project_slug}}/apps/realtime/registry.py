"""The sockets of a process, by what they go by."""

import time
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, Protocol

from apps.realtime.codes import POLICY_VIOLATION
from apps.realtime.control import label

# The most sockets of one person in one process; of more, the oldest goes.
MAX_SOCKETS = 20
# For how long a farewell also meets those who were still entering, in seconds.
ENTERING = 30


class Member(Protocol):
    scope: Any
    opened: float
    labels: set[str]

    def let_go(self, code: int) -> None: ...

    @classmethod
    def find_unwelcome(cls, sockets: Collection[Any]) -> dict[Any, int]: ...


class Farewell(NamedTuple):
    time: float
    labels: list[str]
    code: int

    def meets(self, member: Member) -> bool:
        # A session that has ended is read from the database a moment longer.
        is_meant = member.opened <= self.time or self.labels[0].startswith("session:")
        return is_meant and member.labels.issuperset(self.labels)


class Registry:
    def __init__(self) -> None:
        # Dictionaries for their order: the oldest socket first.
        self._by_label: defaultdict[str, dict[Member, None]] = defaultdict(dict)
        self._farewells: deque[Farewell] = deque()

    def add(self, member: Member, name: str) -> None:
        """Label a socket. What was said of that label while it entered holds for it."""
        member.labels.add(name)
        sockets = self._by_label[name]
        sockets[member] = None
        if name.startswith("user:") and len(sockets) > MAX_SOCKETS:
            oldest = next(iter(sockets))
            del sockets[oldest]
            oldest.let_go(POLICY_VIOLATION)
        for farewell in self._farewells:
            if farewell.meets(member):
                member.let_go(farewell.code)

    def remove(self, member: Member) -> None:
        for name in member.labels:
            sockets = self._by_label[name]
            sockets.pop(member, None)
            if not sockets:
                del self._by_label[name]

    def of_user(self, user: int) -> list[Member]:
        return list(self._by_label.get(label("user", user), ()))

    def joined(self) -> set[Member]:
        """All sockets that are in some group."""
        names = [name for name in self._by_label if name.startswith("group:")]
        return {member for name in names for member in self._by_label[name]}

    def of_users(self) -> list[Member]:
        """All sockets of people who are logged in."""
        names = [name for name in self._by_label if name.startswith("user:")]
        return [member for name in names for member in self._by_label[name]]

    def disconnect(self, labels: Iterable[str], code: int) -> None:
        """Close every socket that has all the labels, and those that just come in."""
        now = time.monotonic()
        while self._farewells and self._farewells[0].time < now - ENTERING:
            self._farewells.popleft()
        labels = list(labels)
        self._farewells.append(Farewell(now, labels, code))
        for member in tuple(self._by_label.get(labels[0], ())):
            if member.labels.issuperset(labels):
                member.let_go(code)
