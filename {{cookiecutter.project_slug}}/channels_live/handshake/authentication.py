"""Whose socket it is, and how many of them they open.

Each opening costs queries, and where the page has missed much, the rendering of it.
Browsers that are refused come back by themselves.
"""

import logging
from collections.abc import Awaitable, Callable
from importlib import import_module
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from channels_live import conf
from channels_live.base.asgi import Scope
from channels_live.base.budget import Budget
from channels_live.base.work import in_own_thread
from channels_live.handshake.refusal import Refusal
from channels_live.observe.outage import database_outage
from channels_live.revocation import NoSession, load_user

logger = logging.getLogger(__name__)

# As many visitors as this may share an address.
VISITORS = 10

# Returns whose socket it is, or None.
type Login = Callable[[HttpRequest, Scope], Awaitable[Any]]


async def session_login(request: HttpRequest, scope: Scope) -> Any:
    """Return whose session the cookie names, and put the session into the scope."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = scope["session"] = store(None if "\0" in key else key)
    # One hop for session and user together; Channels' own stack takes two.
    return await in_own_thread(load_user)(session)


async def authenticate(
    request: HttpRequest, scope: Scope, openings: Budget, login: Login
) -> None:
    """Put `cookies`, `session` and `user` into the scope, as Channels' stack does.

    Whoever opens sockets in a loop is refused: a session before it is looked up, a
    person whatever the number of their sessions, and everybody else by address.
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
        if user is None or not user.is_active:
            user = AnonymousUser()
    if user is None:
        raise Refusal("the database is away")
    if user.is_authenticated:
        count(openings, ("user", user.pk), limit)
    elif login is session_login:
        count(openings, address, limit * VISITORS)
    scope["cookies"] = request.COOKIES
    scope.setdefault("session", NoSession(user))
    scope["user"] = user


def count(openings: Budget, who: tuple[str, object], limit: int) -> None:
    """Raise Refusal where somebody opens too many."""
    excess = openings.excess(who, limit)
    if excess == 1:
        logger.warning("Sockets are refused: %s %s opens too many.", *who)
    if excess > 0:
        raise Refusal("too many sockets")


def network_of(host: str) -> str:
    """Return what to count someone unknown by: an address, or its IPv6 network."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
