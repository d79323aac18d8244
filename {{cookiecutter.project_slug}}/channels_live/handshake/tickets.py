"""Tickets authenticate sockets of clients without a cookie, such as apps and other sites.

A view issues a ticket to an authenticated client. The socket sends it in a subprotocol or in
its first frame, not in the URL, because URLs are logged.
"""

import secrets
from contextlib import suppress
from typing import Any

from django.contrib import auth
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from channels_live.base.asgi import Scope
from channels_live.base.close_code import CloseCode, Refused
from channels_live.base.frames import InvalidFrame, decode
from channels_live.base.messages import label, user_key
from channels_live.base.threads import in_own_thread
from channels_live.process import get_process

SALT = "channels_live.ticket"
# How long a ticket is valid, and how long a socket may take to send it, in seconds.
# What ends a session is remembered for as long: see revocation.py.
MAX_AGE = 30
PATIENCE = 10
# The subprotocol that is spoken: what is offered beside it is the ticket.
PROTOCOL = "ticket"


def ticket_for(user: Any, *, session: str | None = None) -> str:
    """Return a ticket, which authenticates one socket as this user, within 30 seconds.

    The socket is closed when the user's logins end and, with a session key, when that
    session is logged out. Raises ValueError for a user who is not in the database.
    """
    if not user.is_authenticated or user._state.adding:
        raise ValueError(f"Expected a user who is in the database, got {user!r}.")
    labels = [label("session", session)] if session else []
    content = [user_key(user.pk), fingerprint(user), secrets.token_hex(8), labels]
    return signer().sign_object(content)


@never_cache
@require_GET
def ticket_view(request: HttpRequest) -> JsonResponse:
    """Return {"ticket": …} for the user of the request, or 401 without a login."""
    if not request.user.is_authenticated:
        return JsonResponse({"error": _("Log in first.")}, status=401)
    # An API may know another user, by a token.
    is_owner = request.session.get(auth.SESSION_KEY) == user_key(request.user.pk)
    key = request.session.session_key if is_owner else None
    ticket = ticket_for(request.user, session=key)
    return JsonResponse({"ticket": ticket, "expires_in": MAX_AGE})


async def ticket_login(request: HttpRequest, scope: Scope) -> Any:
    """Return the user of a socket's ticket. Raises Refused, with 4401, if it is invalid.

    The ticket is the subprotocol after "ticket", or {"ticket": …} in the first frame. It
    is valid for one socket.
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
    user, labels = await in_own_thread(redeem)(ticket)
    for name in labels:
        get_process().registry.add(socket, name)
    return user


def redeem(ticket: object) -> tuple[Any, list[str]]:
    """Return whose ticket it is, and its labels. Raises Refused."""
    with suppress(signing.BadSignature, ValueError):
        pk, known, number, labels = signer().unsign_object(str(ticket), max_age=MAX_AGE)
        user = auth.get_user_model()._default_manager.filter(pk=pk).first()
        if (
            user
            and user.is_active
            and constant_time_compare(fingerprint(user), known)
            and cache.add(f"{SALT}.{number}", True, MAX_AGE)
        ):
            return user, labels
    raise Refused(CloseCode.NOT_LOGGED_IN)


def signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=SALT, sep=".")  # what subprotocols may have


def fingerprint(user: Any) -> str:
    """Return what changes with the password, and tells nothing of it."""
    found = user.get_session_auth_hash()
    return salted_hmac(SALT, found, algorithm="sha256").hexdigest()[:32]
