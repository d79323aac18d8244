"""Whose address is believed."""

from typing import Any

import pytest
from pytest_django import Settings

from apps.ops.proxy import ProxyMiddleware, forwarded_for


def scope_with(*headers: str, client: str = "10.0.0.1") -> dict[str, Any]:
    pairs = [(b"x-forwarded-for", header.encode("latin-1")) for header in headers]
    return {"type": "http", "client": (client, 5000), "headers": pairs}


@pytest.mark.parametrize(
    ("headers", "proxies", "address"),
    [
        (["192.0.2.9"], 0, None),
        ([], 1, None),
        (["192.0.2.9"], 1, "192.0.2.9"),
        (["203.0.113.66, 192.0.2.9"], 1, "192.0.2.9"),
        (["203.0.113.66", "192.0.2.9"], 1, "192.0.2.9"),
        (["203.0.113.66, 192.0.2.9, 10.0.0.2"], 2, "192.0.2.9"),
        (["192.0.2.9"], 2, None),
        (["192.0.2.9:4711"], 1, "192.0.2.9"),
        (["2001:db8::1"], 1, "2001:db8::1"),
        (["[2001:db8::1]:4711"], 1, "2001:db8::1"),
        (["192.0.2.9, unknown"], 1, None),
        (["192.0.2.9, \xff\x00"], 1, None),
        (["192.0.2.9,"], 1, None),
    ],
)
def test_only_what_our_own_proxies_added_is_believed(
    headers: list[str], proxies: int, address: str | None
) -> None:
    assert forwarded_for(scope_with(*headers), proxies) == address


async def test_applications_see_whom_the_proxy_serves(settings: Settings) -> None:
    seen: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"])

    nothing: Any = None

    settings.TRUSTED_PROXY_COUNT = 1
    for scope in (scope_with("1.1.1.1, 192.0.2.9"), scope_with()):
        await ProxyMiddleware(inner)(scope, nothing, nothing)

    assert seen == [("192.0.2.9", 0), ("10.0.0.1", 5000)]
