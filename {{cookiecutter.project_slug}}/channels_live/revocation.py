"""Whose socket it is, and whether their login is still good.

Django checks a session with each request; a socket is one request that goes on for
hours. So everything that ends a login is told to all processes as it happens, and in
case a message is lost, each process looks for itself now and then.
"""

import time
from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.backends import signed_cookies
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from channels_live import conf
from channels_live.base.close_code import CloseCode
from channels_live.base.messages import label, user_key
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
                socket.terminate(revocation.code)

    def discard(self, socket: Socket, label: str) -> None:
        """Take a label off a socket."""
        socket.labels.discard(label)
        sockets = self._by_label[label]
        sockets.pop(socket, None)
        if not sockets:
            del self._by_label[label]

    def remove(self, socket: Socket) -> None:
        for name in tuple(socket.labels):
            self.discard(socket, name)

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


class NoSession(SessionBase):
    """Stands in for the session of a login that has none, such as by an API's token."""

    def __init__(self, user: Any) -> None:
        super().__init__()
        if user is not None and user.is_authenticated:
            self[auth.SESSION_KEY] = user_key(user.pk)
            self[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()

    def delete(self, session_key: str | None = None) -> None:
        """Nothing is stored."""


class Login:
    """The login that a socket goes with, which its consumer may end or begin."""

    def __init__(self, registry: Registry, socket: Socket) -> None:
        self._registry = registry
        self._socket = socket
        self._session = socket.scope["session"]
        self._user, self._key = get_identity(self._session)
        if socket.scope["user"].is_authenticated:
            self._label()

    def follow(self) -> str | None:
        """Label the socket anew if somebody has logged in or out over it.

        Returns the key of the session that has ended by that, if one has.
        """
        user, key = get_identity(self._session)
        if (user, key) == (self._user, self._key):
            return None
        ended = self._key if self._key != key else None
        self._user, self._key = user, key
        for name in tuple(self._socket.labels):
            if name.startswith(("user:", "session:")):
                self._registry.discard(self._socket, name)
        self._label()
        return ended

    def _label(self) -> None:
        if self._user is not None:
            self._registry.add(self._socket, label("user", self._user))
            if self._key is not None:
                self._registry.add(self._socket, label("session", self._key))


def get_identity(session: SessionBase) -> tuple[str | None, str | None]:
    """Return the user of a session, and its key; None and None if it is nobody's."""
    user = session.get(auth.SESSION_KEY)
    return (None, None) if user is None else (user, session.session_key)


def load_user(session: SessionBase) -> AbstractBaseUser | AnonymousUser:
    """Return whose session it is. Never writes it: a handshake sets no cookie."""
    path = session.get(auth.BACKEND_SESSION_KEY)
    user = None
    if path in settings.AUTHENTICATION_BACKENDS:
        user = auth.load_backend(path).get_user(session[auth.SESSION_KEY])
    return user if user and is_current(user, session) else AnonymousUser()


def find_revoked(sockets: Collection[Socket]) -> list[Socket]:
    """Return the sockets whose login is over; the others get their user anew.

    Two queries in all, where sessions are in the database.
    """
    logins = {
        socket: user
        for socket in sockets
        if (user := get_identity(socket.scope["session"])[0]) is not None
    }
    found = auth.get_user_model()._default_manager.in_bulk(set(logins.values()))
    users = {user_key(pk): user for pk, user in found.items()}
    sessions = [socket.scope["session"] for socket in logins]
    keys = find_open_sessions(
        [session for session in sessions if not isinstance(session, NoSession)]
    )
    revoked = []
    for socket, pk in logins.items():
        owner, session = users.get(pk), socket.scope["session"]
        is_open = isinstance(session, NoSession) or session.session_key in keys
        if owner and is_open and is_current(owner, session):
            socket.scope["user"] = owner
        else:
            revoked.append(socket)
    return revoked


def find_open_sessions(sessions: Collection[SessionBase]) -> set[str | None]:
    """Return the keys that are still good."""
    keys = {session.session_key for session in sessions}
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if hasattr(store, "get_model_class"):
        rows = store.get_model_class().objects.filter(
            session_key__in=keys, expire_date__gt=timezone.now()
        )
        return set(rows.values_list("session_key", flat=True))
    if issubclass(store, signed_cookies.SessionStore):
        return keys  # nowhere stored: only the user's end is theirs
    return {key for key in keys if store().exists(key)}


def is_current(user: AbstractBaseUser, session: SessionBase) -> bool:
    """Whether a user is active and still has the password of the session."""
    found = session.get(auth.HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user.is_active and any(constant_time_compare(found, one) for one in hashes)
