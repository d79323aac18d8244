"""Decides which origins may open sockets."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import is_same_domain

from channels_live.base.close_code import Refusal
from channels_live.observe.complaints import complain

ELSEWHERE = (
    "Pages of %s may open no sockets at %s. If both are this site, as behind a proxy that "
    "changes the header Host or ends TLS, add %s to CSRF_TRUSTED_ORIGINS in .env, and "
    "restart."
)

type Origins = Callable[[HttpRequest], bool]


def check_origin(request: HttpRequest, origins: Origins) -> None:
    """Raise Refusal for a handshake that `origins` does not allow."""
    if origins(request):
        return
    origin = request.META.get("HTTP_ORIGIN", "")
    if not origin:
        raise Refusal("no origin")
    if origins is same_origin:
        origin = origin[:100]
        try:
            here = request.get_host()[:100]
        except DisallowedHost as error:  # which names ALLOWED_HOSTS
            complain("%s", str(error)[:300], level=logging.WARNING)
        else:
            complain(ELSEWHERE, origin, here, origin, level=logging.WARNING)
    raise Refusal("another origin")


def any_origin(request: HttpRequest) -> bool:
    """Allow sockets of all pages, and of clients without an origin. Never use cookies."""
    return True


def same_origin(request: HttpRequest) -> bool:
    """Allow sockets of this site's pages only.

    As for Django's forms, the Origin header must match the address that the socket is
    opened at, or be in CSRF_TRUSTED_ORIGINS.
    """
    scheme, _, domain = request.META.get("HTTP_ORIGIN", "").partition("://")
    for trusted in settings.CSRF_TRUSTED_ORIGINS:
        trusted_scheme, _, pattern = trusted.partition("://")  # perhaps *.example.com
        if scheme == trusted_scheme and is_same_domain(domain, pattern.lstrip("*")):
            return True
    try:
        is_here = domain.lower() == request.get_host().lower()
    except DisallowedHost:
        return False
    # Where logins are for HTTPS alone, a page that came without is not to be trusted.
    schemes = ["https"] if settings.SESSION_COOKIE_SECURE else ["http", "https"]
    return is_here and scheme.lower() in schemes
