"""Whose socket it is, and whether their login is still good.

Django checks a session with each request; a socket is one request that goes on for
hours. So all processes are told what ends a login, and look for themselves as well.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends import db, signed_cookies
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from channels_live import conf
from channels_live.base.close_code import CloseCode
from channels_live.delivery.socket import Socket

# For how long a revocation also meets those who were still entering, in seconds.
ENTERING = 30

type Session = Any  # a SessionBase, which can be hashed: its types say otherwise


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


def load_logins(sessions: Collection[Session]) -> dict[Session, Any]:
    """Read these sessions. Return whose they are, where somebody is logged in.

    Two queries in all, where sessions are in the database.
    """
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if store.load is db.SessionStore.load:
        rows = {row.pk: row for row in find_rows(store, sessions)}
        for session in sessions:
            row = rows.get(session.session_key)
            session._session_cache = session.decode(row.session_data) if row else {}
            if not row:
                session._session_key = None
    logins = find_users(sessions)
    for session in sessions:
        if session not in logins:
            session.pop(auth.SESSION_KEY, None)  # never stored: no cookie is set here
    return logins


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


def find_users(sessions: Collection[Session]) -> dict[Session, Any]:
    """Return the users of these sessions who may still use them.

    One query for all, but for backends that look up users in a way of their own.
    """
    users = auth.get_user_model()._default_manager
    pks: dict[Session, Any] = {}
    for session in sessions:
        with suppress(KeyError, ValidationError):
            pks[session] = users.model._meta.pk.to_python(session[auth.SESSION_KEY])
    found = users.in_bulk(set(pks.values())) if pks else {}
    logins = {}
    for session, pk in pks.items():
        user = found.get(pk)
        if path := session.get(auth.BACKEND_SESSION_KEY):
            user = ask_backend(path, pk, user)
        if user and is_current(user, session):
            logins[session] = user
    return logins


def ask_backend(path: str, pk: Any, user: Any) -> Any:
    """Return who that is for a backend, given whom the user model knows by that key."""
    if path not in settings.AUTHENTICATION_BACKENDS:
        return None
    backend: Any = auth.load_backend(path)
    if type(backend).get_user is not ModelBackend.get_user:
        return backend.get_user(pk)
    return user if user and backend.user_can_authenticate(user) else None


def find_ended(sessions: Collection[Session]) -> set[Session]:
    """Return those that are stored no more."""
    stored = [
        one for one in sessions if not isinstance(one, signed_cookies.SessionStore)
    ]
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if hasattr(store, "get_model_class"):
        keys = set(find_rows(store, stored).values_list("pk", flat=True))
        return {one for one in stored if one.session_key not in keys}
    return {one for one in stored if not one.exists(one.session_key)}


def find_rows(store: Any, sessions: Collection[Session]) -> Any:
    keys = {session.session_key for session in sessions}
    rows = store.get_model_class().objects
    return rows.filter(session_key__in=keys, expire_date__gt=timezone.now())


def is_current(user: AbstractBaseUser, session: Session) -> bool:
    """Whether a user is active and still has the password of the session."""
    found = session.get(auth.HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user.is_active and any(constant_time_compare(found, one) for one in hashes)
