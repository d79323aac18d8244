"""Whose socket it is, and how many of them they open.

Each opening costs queries, and where the page has missed much, the rendering of it.
Browsers that are refused come back by themselves.
"""

import logging
from importlib import import_module
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from channels_live import conf
from channels_live.base.asgi import Scope
from channels_live.base.budget import Budget
from channels_live.base.work import in_own_thread
from channels_live.handshake.refusal import Refusal
from channels_live.observe.outage import database_outage
from channels_live.revocation import load_user

logger = logging.getLogger(__name__)

# As many visitors as this may share an address.
VISITORS = 10


async def authenticate(request: HttpRequest, scope: Scope, openings: Budget) -> None:
    """Put `cookies`, `session` and `user` into the scope, as Channels' stack does.

    Whoever opens sockets in a loop is refused: a session before it is looked up, a
    person whatever the number of their sessions, and everybody else by address.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    limit = conf.get("SOCKETS_PER_SECOND")
    if key and openings.excess(("session", key), limit) > 0:
        raise Refusal("too many sockets")
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(None if "\0" in key else key)
    user = None
    with database_outage.noticed():
        # One hop for session and user together; Channels' own stack takes two.
        user = await in_own_thread(load_user)(session)
    if user is None:
        raise Refusal("the database is away")
    if user.is_authenticated:
        excess = openings.excess(who := ("user", user.pk), limit)
    else:
        network = network_of(request.META.get("REMOTE_ADDR", ""))
        excess = openings.excess(who := ("address", network), limit * VISITORS)
    if excess == 1:
        logger.warning("Sockets are refused: %s %s opens too many.", *who)
    if excess > 0:
        raise Refusal("too many sockets")
    scope["cookies"] = request.COOKIES
    scope["session"] = session
    scope["user"] = user


def network_of(host: str) -> str:
    """Return what to count someone unknown by: an address, or its IPv6 network."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
