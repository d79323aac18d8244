"""From which pages sockets may be opened."""

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from channels_live.base.asgi import Scope, get_header
from channels_live.handshake.refusal import Refusal


def check_origin(scope: Scope) -> None:
    """Refuse sockets that a page of another site opens, or no page at all.

    As Django asks of forms: the Origin header has to be the address that the socket
    itself is opened at, or one of CSRF_TRUSTED_ORIGINS.
    """
    origin, host = get_header(scope, b"origin"), get_header(scope, b"host")
    if not is_allowed_origin(origin, host):
        raise Refusal("another origin" if origin else "no origin")


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
