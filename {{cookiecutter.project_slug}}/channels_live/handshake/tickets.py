"""Tickets: what lets in whoever has no cookie here, such as an app or a page elsewhere.

A view hands one out to whom it knows. The socket shows it in a subprotocol or in its first
frame. URLs would be the wrong place: they are in logs.
"""

import secrets
from contextlib import suppress
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from channels_live.base.asgi import Scope
from channels_live.base.close_code import CloseCode
from channels_live.base.frames import InvalidFrame, decode
from channels_live.base.messages import user_key
from channels_live.base.work import in_own_thread
from channels_live.consumers import Refused
from channels_live.delivery.group import complain
from channels_live.revocation import NoSession, get_identity, load_user

SALT = "channels_live.ticket"
# For how long a ticket is good, and for how long a socket may take to show it, in seconds.
MAX_AGE = 30
PATIENCE = 10
# The subprotocol that is spoken: what is offered beside it is the ticket.
PROTOCOL = "ticket"
NOT_SHARED = (
    "A ticket is refused: its session is not in the cache %r. All processes have to share "
    "that cache."
)


def ticket_for(user: Any, *, session: str | None = None) -> str:
    """Return a ticket that lets a socket in as this user: once, within 30 seconds.

    The socket is closed when the user's logins end, and with a session key, when that
    session does. Raises ValueError for a user who is not in the database.
    """
    if not user.is_authenticated or user.pk is None:
        raise ValueError(f"Expected a user who is in the database, got {user!r}.")
    name = digest(session) if session else ""
    if session:
        cache.set(f"{SALT}.{name}", session, 2 * MAX_AGE)
    content = [user_key(user.pk), fingerprint(user), secrets.token_hex(8), name]
    return signer().sign_object(content)


@never_cache
@require_GET
def ticket_view(request: HttpRequest) -> JsonResponse:
    """Hand out {"ticket": …} to whoever is logged in, or else 401."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": _("Log in first.")}, status=401)
    owner, key = get_identity(request.session)
    # An API may know another user, by a token.
    is_owner = owner == user_key(request.user.pk)
    ticket = ticket_for(request.user, session=key if is_owner else None)
    return JsonResponse({"ticket": ticket, "expires_in": MAX_AGE})


async def ticket_login(request: HttpRequest, scope: Scope) -> Any:
    """Return whose ticket a socket shows. Raises Refused, with 4401, where it is no good.

    It comes as the second subprotocol after "ticket", or as {"ticket": …} in the first
    frame, and is good for one socket.
    """
    socket = scope.get("socket")
    if socket is None:
        return None  # a page asks over HTTP why its socket is refused
    offered = list(scope.get("subprotocols", ()))
    ticket = None
    if PROTOCOL in offered:
        socket.subprotocol, scope["subprotocols"] = PROTOCOL, []
        if len(offered) == 2 and offered[0] == PROTOCOL:
            ticket = offered[1]
    else:
        with suppress(InvalidFrame):
            ticket = decode(await socket.ask(PATIENCE)).get("ticket")
    user, scope["session"] = await in_own_thread(redeem)(ticket)
    return user


def redeem(ticket: object) -> tuple[Any, SessionBase]:
    """Return whose ticket it is, and their session. Raises Refused."""
    try:
        content = signer().unsign_object(str(ticket), max_age=MAX_AGE)
    except (signing.BadSignature, ValueError):
        raise Refused(CloseCode.NOT_LOGGED_IN) from None
    pk, known, number, name = content
    user, session = find_user(pk, name)
    if (
        user is None
        or not user.is_active
        or not constant_time_compare(fingerprint(user), known)
        or not cache.add(f"{SALT}.{number}", True, MAX_AGE)
    ):
        raise Refused(CloseCode.NOT_LOGGED_IN)
    return user, session


def find_user(pk: str, name: str) -> tuple[Any, SessionBase]:
    """Return a user, or None, and the session of that name, if the ticket has one."""
    if not name:
        user = get_user_model()._default_manager.filter(pk=pk).first()
        return user, NoSession(user)
    key = cache.get(f"{SALT}.{name}")
    if key is None:
        complain(NOT_SHARED, "default")
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    owner = load_user(session)
    is_owner = owner.is_authenticated and user_key(owner.pk) == pk
    return owner if is_owner else None, session


def signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=SALT, sep=".")  # what subprotocols may have


def digest(text: str) -> str:
    return salted_hmac(SALT, text, algorithm="sha256").hexdigest()[:32]


def fingerprint(user: Any) -> str:
    """Return what changes with the password, and tells nothing of it."""
    return digest(user.get_session_auth_hash())
