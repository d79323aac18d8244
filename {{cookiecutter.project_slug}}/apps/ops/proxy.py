"""The client's address behind proxies.

The servers' own options do not suffice: daphne's trusts whatever the client sends, and
uvicorn's needs the addresses of the proxies.
"""

from contextlib import suppress
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port


class ProxyMiddleware:
    """Put the client's address into the scope, instead of the proxy's."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if address := forwarded_for(scope, settings.TRUSTED_PROXY_COUNT):
            scope = {**scope, "client": (address, 0)}
        await self.inner(scope, receive, send)


def forwarded_for(scope: dict[str, Any], proxies: int) -> str | None:
    """Return the address that the outermost of our own proxies has added.

    Each of them adds one. Those before it come from the client, and are not trusted.
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
