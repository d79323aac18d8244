from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from channels_live.observe.complaints import complain
from channels_live.testing import WAIT
from tests.library.helpers.browsing import only


@pytest.fixture(autouse=True)
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["example.org", ".example.net", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = [
        "https://partner.example.com",
        "https://*.friends.example",
    ]


async def may_enter(*headers: tuple[bytes, bytes]) -> bool:
    async def accept(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    socket = WebsocketCommunicator(only(accept), "/", headers=headers)
    is_accepted: bool = (await socket.connect(WAIT))[0]
    await socket.wait()  # raises what the application raised
    return is_accepted


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://example.org", "example.org"),
        ("https://example.org", "example.org"),
        ("https://EXAMPLE.org", "Example.org"),
        ("http://example.org:8000", "example.org:8000"),
        ("https://www.example.net", "www.example.net"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://partner.example.com", "example.org"),
        ("https://one.friends.example", "example.org"),
    ],
)
async def test_a_page_of_this_site_may_open_a_socket(origin: str, host: str) -> None:
    assert await may_enter((b"origin", origin.encode()), (b"host", host.encode()))


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://example.org.evil.example",
        "https://evil-example.org",
        "https://example.org@evil.example",
        "https://evil.example/https://example.org",
        "http://example.org:8000",
        "http://example.org/",
        "http://example.org?x",
        "http://www.example.net",
        "http://partner.example.com",
        "http://one.friends.example",
        "https://one.friends.example.evil.example",
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
    headers = (b"origin", origin.encode("latin-1")), (b"host", b"example.org")
    assert not await may_enter(*headers)


async def test_a_host_that_is_not_allowed_lets_nobody_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    complain.cache_clear()
    headers = (b"origin", b"http://evil.example"), (b"host", b"evil.example")
    assert not await may_enter(*headers)

    complaints = [one for one in caplog.records if one.name == complain.__module__]
    (said,) = [one.getMessage() for one in complaints]
    assert "add 'evil.example' to ALLOWED_HOSTS" in said


async def test_without_an_origin_nobody_enters() -> None:
    assert not await may_enter()
    assert not await may_enter((b"cookie", b"sessionid=1"), (b"host", b"example.org"))


async def test_beside_a_tunnel_http_is_here_too(settings: Settings) -> None:
    settings.USE_HTTPS_IN_ABSOLUTE_URLS = True

    host = (b"host", b"example.org")
    assert await may_enter((b"origin", b"http://example.org"), host)


async def test_on_https_a_page_without_it_may_not_open_one(settings: Settings) -> None:
    settings.SESSION_COOKIE_SECURE = True

    host = (b"host", b"example.org")
    assert not await may_enter((b"origin", b"http://example.org"), host)
    assert await may_enter((b"origin", b"https://example.org"), host)
