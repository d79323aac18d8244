from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from apps.realtime.middleware import OriginMiddleware


@pytest.fixture(autouse=True)
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["example.org", ".example.net", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://partner.example.com"]


async def may_enter(*headers: tuple[bytes, bytes]) -> bool:
    async def accept(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    socket = WebsocketCommunicator(OriginMiddleware(accept), "/", headers=headers)
    is_accepted, _ = await socket.connect()
    await socket.wait()  # raises what the application raised
    return is_accepted


@pytest.mark.parametrize(
    "origin",
    [
        "http://example.org",
        "https://example.org",
        "https://EXAMPLE.org",
        "http://example.org:8000",
        "https://www.example.net",
        "http://[::1]:8000",
        "https://partner.example.com",
    ],
)
async def test_a_page_of_this_site_may_open_a_socket(origin: str) -> None:
    assert await may_enter((b"origin", origin.encode()))


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://example.org.evil.example",
        "https://evil-example.org",
        "https://example.org@evil.example",
        "https://evil.example/https://example.org",
        "http://partner.example.com",
        "https://partner.example.com:8443",
        "file://example.org",
        "example.org",
        "null",
        "",
        "http://",
        "http://[",
        "http://[::1",
        "http://example.org:port",
        "//example.org",
        "\xff",
    ],
)
async def test_any_other_page_may_not(origin: str) -> None:
    assert not await may_enter((b"origin", origin.encode("latin-1")))


async def test_without_an_origin_nobody_enters() -> None:
    assert not await may_enter()
    assert not await may_enter((b"cookie", b"sessionid=1"), (b"host", b"example.org"))
