"""From which pages sockets may be opened."""

import logging
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import is_same_domain

from channels_live.handshake.refusal import Refusal

logger = logging.getLogger(__name__)

type Origins = Callable[[HttpRequest], bool]


def check_origin(request: HttpRequest, origins: Origins) -> None:
    """Raise Refusal for a handshake that `origins` does not allow."""
    if origins(request):
        return
    origin = request.headers.get("origin", "")
    if not origin:
        raise Refusal("no origin")
    if origins is same_origin:
        name_the_setting(origin[:100], request.headers.get("host", "")[:100])
    raise Refusal("another origin")


@lru_cache(maxsize=100)
def name_the_setting(origin: str, host: str) -> None:
    """Say, once for each origin, what may be wrong."""
    logger.warning(
        "Pages of %s may open no sockets at %s. If that is this site too, as behind a "
        "proxy that changes the header Host, add %s to CSRF_TRUSTED_ORIGINS.",
        *(origin, host, origin),
    )


def any_origin(request: HttpRequest) -> bool:
    """Allow sockets of all pages and of what is no page. Never with cookies."""
    return True


def same_origin(request: HttpRequest) -> bool:
    """Allow sockets of this site's pages alone.

    As Django asks of forms: the Origin header has to be the address that the socket
    itself is opened at, or one of CSRF_TRUSTED_ORIGINS.
    """
    origin = request.headers.get("origin", "")
    if any(is_same_origin(origin, one) for one in settings.CSRF_TRUSTED_ORIGINS):
        return True
    try:
        host = request.get_host().lower()
    except DisallowedHost:
        return False
    schemes = ["https"] if settings.USE_HTTPS_IN_ABSOLUTE_URLS else ["http", "https"]
    return origin.lower() in [f"{scheme}://{host}" for scheme in schemes]


def is_same_origin(origin: str, pattern: str) -> bool:
    """Whether an origin is the pattern, which may be as in https://*.example.com."""
    scheme, _, domain = origin.partition("://")
    pattern_scheme, _, pattern_domain = pattern.partition("://")
    return scheme == pattern_scheme and is_same_domain(
        domain, pattern_domain.removeprefix("*")
    )
