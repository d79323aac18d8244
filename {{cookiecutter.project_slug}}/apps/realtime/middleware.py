"""What every WebSocket passes before it reaches a consumer.

They do what Channels' own do with less: no channel for a refused socket, one thread
hop for session and user together, and no wrapper around each later send.
"""

import time
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, parse_cookie
from django.http.request import split_domain_port, validate_host

from apps.realtime.outage import DATABASE_ERRORS, database_outage
from apps.realtime.routing import refuse
from apps.realtime.threads import in_thread


class OriginMiddleware:
    """Refuse sockets that a page of another site opens, or no page at all.

    The Origin header has to name a host in ALLOWED_HOSTS or be one of
    CSRF_TRUSTED_ORIGINS.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_allowed = is_allowed_origin(get_header(scope, b"origin"))
        await (self.inner if is_allowed else refuse)(scope, receive, send)


class AuthMiddleware:
    """Put `cookies`, `session` and `user` into the scope, as Channels' stack does."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        opened = time.monotonic()
        cookies = parse_cookie(get_header(scope, b"cookie"))
        store = import_module(settings.SESSION_ENGINE).SessionStore
        session = store(cookies.get(settings.SESSION_COOKIE_NAME))
        scope = dict(scope, cookies=cookies, session=session, opened=opened)
        try:
            scope["user"] = await load_user(session)
        except DATABASE_ERRORS as error:
            database_outage.begin(error)
            await refuse(scope, receive, send)
            return
        await self.inner(scope, receive, send)


@in_thread
def load_user(session: SessionBase) -> AbstractBaseUser | AnonymousUser:
    request = HttpRequest()
    request.session = session
    return get_user(request)


def is_allowed_origin(origin: str) -> bool:
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    host, _ = split_domain_port(parts.netloc)
    return (
        parts.scheme in ("http", "https")
        and bool(host)
        and validate_host(host, settings.ALLOWED_HOSTS)
    )


def get_header(scope: Any, name: bytes) -> str:
    """The first header of that (lower-case) name, or an empty string."""
    return next(
        (value.decode("latin-1") for key, value in scope["headers"] if key == name), ""
    )
