"""What every WebSocket passes before it reaches a consumer.

They do what Channels' own do with less: no channel for a refused socket, one thread
hop for session and user together, and no wrapper around each later send.
"""

import time
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from apps.realtime.entries import VISITORS, EntryBudget
from apps.realtime.log_context import remember_session
from apps.realtime.outage import DATABASE_ERRORS, database_outage
from apps.realtime.proxy import neighbourhood
from apps.realtime.routing import Refuse
from apps.realtime.sessions import load_user
from apps.realtime.threads import in_thread


class OriginMiddleware:
    """Refuse sockets that a page of another site opens, or no page at all.

    As Django asks of forms: the Origin header has to be the address that the socket
    itself is opened at, or one of CSRF_TRUSTED_ORIGINS.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.refuse = Refuse("another origin")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        origin, host = get_header(scope, b"origin"), get_header(scope, b"host")
        is_allowed = is_allowed_origin(origin, host)
        await (self.inner if is_allowed else self.refuse)(scope, receive, send)


class AuthMiddleware:
    """Put `cookies`, `session` and `user` into the scope, as Channels' stack does.

    Whoever opens sockets in a loop is refused: a session before it is looked up, a
    person whatever the number of their sessions, and everybody else by address.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.entries = EntryBudget()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        opened = time.monotonic()
        cookies = parse_cookie(get_header(scope, b"cookie"))
        store = import_module(settings.SESSION_ENGINE).SessionStore
        key = cookies.get(settings.SESSION_COOKIE_NAME, "")
        session = store(None if "\0" in key else key)
        limit = settings.WEBSOCKET_ENTRIES_PER_SECOND
        if key and not self.entries.spend("session", key, limit):
            await Refuse("too many sockets")(scope, receive, send)
            return
        scope = dict(scope, cookies=cookies, session=session, opened=opened)
        remember_session(session)
        try:
            scope["user"] = await in_thread(load_user)(session)
        except DATABASE_ERRORS as error:
            database_outage.begin(error)
            await Refuse("the database is away")(scope, receive, send)
            return
        if scope["user"].is_authenticated:
            may_enter = self.entries.spend("user", scope["user"].pk, limit)
        else:
            may_enter = self.entries.spend(
                "address", neighbourhood(scope), limit * VISITORS
            )
        next_step = self.inner if may_enter else Refuse("too many sockets")
        await next_step(scope, receive, send)


def is_allowed_origin(origin: str, host: str) -> bool:
    if any(is_same_origin(origin, one) for one in settings.CSRF_TRUSTED_ORIGINS):
        return True
    schemes = ["https"] if settings.USE_HTTPS_IN_ABSOLUTE_URLS else ["http", "https"]
    if origin.lower() not in [f"{scheme}://{host.lower()}" for scheme in schemes]:
        return False
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def is_same_origin(origin: str, pattern: str) -> bool:
    """Whether an origin is the pattern, which may be as in https://*.example.com."""
    scheme, _, domain = origin.partition("://")
    pattern_scheme, _, pattern_domain = pattern.partition("://")
    return scheme == pattern_scheme and is_same_domain(
        domain, pattern_domain.removeprefix("*")
    )


def get_header(scope: Any, name: bytes) -> str:
    """The first header of that (lower-case) name, or an empty string."""
    return next(
        (value.decode("latin-1") for key, value in scope["headers"] if key == name), ""
    )
