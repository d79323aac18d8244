"""Who is at the other end, if a proxy is in between.

Servers have options for it, but daphne's believes whatever the visitor claims, and
uvicorn's has to be told the addresses of its proxies.
"""

from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port


class ProxyMiddleware:
    """Put whom a proxy serves into the scope, in the place of the proxy."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if address := forwarded_for(scope, settings.TRUSTED_PROXY_COUNT):
            scope = {**scope, "client": (address, 0)}
        await self.inner(scope, receive, send)


def forwarded_for(scope: dict[str, Any], proxies: int) -> str | None:
    """Return the address that the outermost of our own proxies saw.

    They each add one; what stands before it is what the visitor claims.
    """
    headers = scope.get("headers", ())
    values = [value for name, value in headers if name == b"x-forwarded-for"]
    addresses = b",".join(values).decode("latin-1").split(",")
    if 0 < proxies <= len(addresses):
        text = addresses[-proxies].strip()
        for candidate in (text, split_domain_port(text)[0].strip("[]")):
            with suppress(ValueError):
                return str(ip_address(candidate))
    return None
