"""From which pages sockets may be opened."""

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import is_same_domain

from channels_live.handshake.refusal import Refusal


def check_origin(request: HttpRequest) -> None:
    """Refuse sockets that a page of another site opens, or no page at all.

    As Django asks of forms: the Origin header has to be the address that the socket
    itself is opened at, or one of CSRF_TRUSTED_ORIGINS.
    """
    origin = request.headers.get("origin", "")
    if not is_allowed_origin(origin, request):
        raise Refusal("another origin" if origin else "no origin")


def is_allowed_origin(origin: str, request: HttpRequest) -> bool:
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
