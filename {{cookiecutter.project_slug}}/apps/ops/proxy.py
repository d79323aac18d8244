"""Who is at the other end, if a proxy is in between.

Servers have options for it, but daphne's believes whatever the visitor claims, and
uvicorn's has to be told the addresses of its proxies.
"""

from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port


class ProxyMiddleware:
    """Put whom a proxy serves into the scope, in the place of the proxy."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if address := forwarded_for(scope, settings.TRUSTED_PROXY_COUNT):
            scope = dict(scope, client=(address, 0))
        await self.inner(scope, receive, send)


def forwarded_for(scope: Any, proxies: int) -> str | None:
    """Return the address that the outermost of our own proxies saw.

    They each add one; what stands before it is what the visitor claims.
    """
    if not proxies:
        return None
    claims = b",".join(
        value for name, value in scope.get("headers", ()) if name == b"x-forwarded-for"
    )
    addresses = claims.decode("latin-1").split(",")
    return parse(addresses[-proxies]) if len(addresses) >= proxies else None


def parse(text: str) -> str | None:
    """Return the address in a text that may name a port too."""
    text = text.strip()
    for candidate in (text, split_domain_port(text)[0].strip("[]")):
        try:
            return str(ip_address(candidate))
        except ValueError:
            continue
    return None
