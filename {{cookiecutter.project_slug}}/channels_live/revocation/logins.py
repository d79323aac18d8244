"""Whose socket it is, and whether their login is still good.

Django checks a session with each request; a socket is one request that goes on for
hours. So everything that ends a login is told to all processes as it happens, and in
case a message is lost, each process looks for itself now and then.
"""

from collections.abc import Collection
from importlib import import_module
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.signed_cookies import (
    SessionStore as SignedCookies,
)
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from channels_live.base.names import label
from channels_live.delivery.socket import Socket
from channels_live.revocation.registry import Registry


class Identity(NamedTuple):
    """Whose session it is: None and None where nobody is logged in."""

    user: str | None
    session: str | None


NOBODY = Identity(None, None)


class Login:
    """The login that a socket goes with, which its consumer may end or begin."""

    def __init__(self, registry: Registry, socket: Socket) -> None:
        self._registry = registry
        self._socket = socket
        self._session = socket.scope["session"]
        self._identity = get_identity(self._session)
        if socket.scope["user"].is_authenticated:
            self._label(self._identity)

    def follow(self) -> str | None:
        """Label the socket anew if somebody has logged in or out over it.

        Returns the key of the session that has ended by that, if one has.
        """
        before, now = self._identity, get_identity(self._session)
        if now == before:
            return None
        self._identity = now
        for name in tuple(self._socket.labels):
            if name.startswith(("user:", "session:")):
                self._registry.discard(self._socket, name)
        self._label(now)
        return before.session if before.session != now.session else None

    def _label(self, identity: Identity) -> None:
        if identity != NOBODY:
            self._registry.add(self._socket, label("user", identity.user))
            self._registry.add(self._socket, label("session", identity.session))


def get_identity(session: SessionBase) -> Identity:
    """Return whose session it is, by what was loaded of it and done to it since."""
    user = session.get(SESSION_KEY)
    return NOBODY if user is None else Identity(user, session.session_key)


def load_user(session: SessionBase) -> AbstractBaseUser | AnonymousUser:
    """Return whose session it is. Never writes it: a handshake sets no cookie."""
    path = session.get(BACKEND_SESSION_KEY)
    user = None
    if path in settings.AUTHENTICATION_BACKENDS:
        user = load_backend(path).get_user(session[SESSION_KEY])
    return user if user and is_current(user, session) else AnonymousUser()


def find_revoked(sockets: Collection[Socket]) -> list[Socket]:
    """Return the sockets whose login is over; the others get their user anew.

    Two queries in all, where sessions are in the database.
    """
    logins = {
        socket: user
        for socket in sockets
        if (user := get_identity(socket.scope["session"]).user) is not None
    }
    found = get_user_model()._default_manager.in_bulk(set(logins.values()))
    users = {str(pk): user for pk, user in found.items()}
    keys = find_open_sessions([socket.scope["session"] for socket in logins])
    revoked = []
    for socket, pk in logins.items():
        owner, session = users.get(pk), socket.scope["session"]
        if owner and is_current(owner, session) and session.session_key in keys:
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
    if issubclass(store, SignedCookies):
        return keys  # nowhere stored: only the user's end is theirs
    return {key for key in keys if store().exists(key)}


def is_current(user: AbstractBaseUser, session: SessionBase) -> bool:
    """Whether a user is active and still has the password of the session."""
    found = session.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user.is_active and any(constant_time_compare(found, one) for one in hashes)
