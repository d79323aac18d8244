"""Whose socket it is, and how many of them they open.

Each opening costs queries, and where the page has missed much, the rendering of it.
Browsers that are refused come back by themselves.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends import signed_cookies
from django.http import HttpRequest

from channels_live import conf
from channels_live.base.asgi import Event, Scope
from channels_live.base.budget import Budget
from channels_live.base.close_code import Refusal
from channels_live.base.messages import label, user_key
from channels_live.commands import disconnect
from channels_live.delivery.socket import Socket
from channels_live.observe.outage import database_outage
from channels_live.process import Process, get_process

logger = logging.getLogger(__name__)

# As many visitors as this may share an address.
VISITORS = 10

# Returns whose socket it is, or None.
type Authenticate = Callable[[HttpRequest, Scope], Awaitable[Any]]


async def session_login(request: HttpRequest, scope: Scope) -> Any:
    """Return the user of the session cookie, and put the session into the scope."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = scope["session"] = store(None if "\0" in key else key)
    return await get_process().logins.get(session) if session.session_key else None


async def authenticate(
    request: HttpRequest, scope: Scope, openings: Budget, login: Authenticate
) -> None:
    """Put `cookies`, `session` and `user` into the scope, as Channels' stack does.

    Refuse clients that open sockets in a loop: a session is counted before it is looked
    up, a person across all their sessions, and everybody else by address.
    """
    limit = conf.get("SOCKETS_PER_SECOND")
    address = "address", network_of(request.META.get("REMOTE_ADDR", ""))
    if login is not session_login:
        count(openings, address, limit * VISITORS)
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if key and openings.excess(("session", key), limit) > 0:
        raise Refusal("too many sockets")
    user = None
    with database_outage.noticed():
        user = await login(request, scope)
        if not user or not user.is_active:
            user = AnonymousUser()
    if user is None:
        raise Refusal("the database is away")
    if user.is_authenticated:
        count(openings, ("user", user.pk), limit)
    elif login is session_login:
        count(openings, address, limit * VISITORS)
    scope["cookies"] = request.COOKIES
    scope["user"] = user
    session = scope.setdefault("session", session_without_store(AnonymousUser()))
    if user.is_authenticated and auth.SESSION_KEY not in session:
        scope["session"] = session_without_store(user)


def session_without_store(user: Any) -> Any:
    """Return the session of a login that has none, such as by an API's token."""
    session = signed_cookies.SessionStore()
    if user.is_authenticated:
        session[auth.SESSION_KEY] = user_key(user.pk)
        session[auth.BACKEND_SESSION_KEY] = ""
        session[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
    return session


def count(openings: Budget, who: tuple[str, object], limit: int) -> None:
    """Raise Refusal where somebody opens too many."""
    excess = openings.excess(who, limit)
    if excess == 1:
        logger.warning("Sockets are refused: %s %s opens too many.", *who)
    if excess > 0:
        raise Refusal("too many sockets")


def network_of(host: str) -> str:
    """Return what to count someone unknown by: an address, or its IPv6 network."""
    with suppress(ValueError):
        address = ip_address(host)
        if address.version == 6:
            return str(ip_network((address, 64), strict=False))
    return host


class Login:
    """The login that a socket goes with, which its consumer may end or begin."""

    def __init__(self, process: Process, socket: Socket) -> None:
        self._registry = process.registry
        self._presence = process.presence
        self._socket = socket
        self._session = socket.scope["session"]
        self._user: str | None = None
        self._key: str | None = None
        self.follow()

    async def receive(self) -> Event:
        """Return what the consumer is to hear next."""
        self.follow()
        return await self._socket.receive()

    def follow(self) -> None:
        """Label the socket, and close the others of a session that has ended over it."""
        user = self._session.get(auth.SESSION_KEY)
        key = None if user is None else self._session.session_key
        if (user, key) == (self._user, self._key):
            return
        if self._user is not None:
            for name in tuple(self._socket.labels):
                if name.startswith(("user:", "session:")):
                    self._registry.discard(self._socket, name)
        if self._key is not None and self._key != key:
            disconnect(session=self._key)
        self._user, self._key = user, key
        self._presence.has_changed = True
        if user is not None:
            self._registry.add(self._socket, label("user", user))
        if key is not None:
            self._registry.add(self._socket, label("session", key))
