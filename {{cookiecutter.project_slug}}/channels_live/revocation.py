"""Which sockets have to go, because a login or a right has ended.

Django checks a session with each request; a socket is one request that goes on for
hours. So all processes are told what ends a login, and look for themselves as well.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from django.contrib import auth

from channels_live import conf
from channels_live.base.close_code import CloseCode
from channels_live.base.threads import in_own_thread
from channels_live.delivery.socket import Socket
from channels_live.logins import find_ended, find_users
from channels_live.observe.outage import TIMEOUT, database_outage

# For how long a revocation also meets those who were still entering, in seconds.
ENTERING = 30


class Revocation(NamedTuple):
    """Sockets that have all the labels had to go at that time, or to be looked at."""

    time: float
    labels: list[str]
    code: int | None  # None: if their login is over

    def meets(self, socket: Socket) -> bool:
        # A session that has ended is read from the database a moment longer.
        is_meant = socket.began <= self.time or self.labels[0].startswith("session:")
        return is_meant and socket.labels.issuperset(self.labels)


class Registry:
    def __init__(self, recheck: Callable[[Collection[Socket]], object]) -> None:
        """`recheck` is given sockets whose login may be over."""
        self._recheck = recheck
        self._by_label: defaultdict[str, dict[Socket, None]] = defaultdict(dict)
        self._revocations: deque[Revocation] = deque()

    def add(self, socket: Socket, label: str) -> None:
        """Label a socket. What was said of that label while it entered holds for it."""
        socket.labels.add(label)
        sockets = self._by_label[label]
        sockets[socket] = None
        if label.startswith("user:") and len(sockets) > conf.get("SOCKETS_PER_USER"):
            # Its page comes back, and is let in when there is room.
            socket.terminate(CloseCode.TRY_AGAIN_LATER)
        for revocation in self._revocations:
            if revocation.meets(socket):
                self._act([socket], revocation.code)

    def discard(self, socket: Socket, label: str) -> None:
        socket.labels.discard(label)
        sockets = self._by_label[label]
        sockets.pop(socket, None)
        if not sockets:
            del self._by_label[label]

    def remove(self, socket: Socket) -> None:
        for name in tuple(socket.labels):
            self.discard(socket, name)

    def with_labels_of(self, kind: str) -> set[Socket]:
        labels = [label for label in self._by_label if label.startswith(f"{kind}:")]
        return {socket for label in labels for socket in self._by_label[label]}

    def revoke(self, labels: Iterable[str], code: int | None = None) -> None:
        """Close every socket that has all the labels, and those that just come in.

        Without a code, those are closed whose login is over.
        """
        now = time.monotonic()
        while self._revocations and self._revocations[0].time < now - ENTERING:
            self._revocations.popleft()
        labels = list(labels)
        self._revocations.append(Revocation(now, labels, code))
        sockets = self._by_label.get(labels[0], ())
        self._act([one for one in sockets if one.labels.issuperset(labels)], code)

    def _act(self, sockets: Collection[Socket], code: int | None) -> None:
        if code is not None:
            for socket in sockets:
                socket.terminate(code)
        elif sockets:
            self._recheck(sockets)

    async def check(self) -> None:
        """Close the sockets of those who have lost access or whose login is over."""
        consumers = defaultdict[Any, list[Any]](list)
        for socket in self.with_labels_of("group"):
            if socket.consumer is not None:
                consumers[type(socket.consumer)].append(socket.consumer)
        # One that fails must not hold up the others.
        await asyncio.gather(
            terminate_revoked(self.with_labels_of("user")),
            *(terminate_unwelcome(*of_one) for of_one in consumers.items()),
        )


async def terminate_unwelcome(kind: Any, consumers: list[Any]) -> None:
    for consumer, code in (await in_own_thread(kind.revoked)(consumers)).items():
        consumer.socket.terminate(code)


async def terminate_revoked(sockets: Collection[Socket]) -> None:
    if sockets:
        revoked = await in_own_thread(find_revoked)(sockets)
        database_outage.end()
        for socket in revoked:
            socket.terminate(CloseCode.NOT_LOGGED_IN)


async def recheck(sockets: Collection[Socket]) -> None:
    """Close these sockets where the login is over.

    While the database does not say, they are closed too, and their pages come back.
    """
    with database_outage.noticed(), suppress(TimeoutError):
        async with asyncio.timeout(TIMEOUT):
            await terminate_revoked(sockets)
            return
    for socket in sockets:
        socket.terminate(CloseCode.SERVICE_RESTART)


def find_revoked(sockets: Collection[Socket]) -> list[Socket]:
    """Return the sockets whose login is over; the others get their user anew.

    Two queries in all, where sessions are in the database.
    """
    sessions = {
        socket: session
        for socket in sockets
        if auth.SESSION_KEY in (session := socket.scope["session"])
    }
    users = find_users(sessions.values())
    ended = find_ended(users)
    for socket, session in sessions.items():
        if session in users:
            socket.scope["user"] = users[session]
    return [one for one, key in sessions.items() if key not in users or key in ended]
