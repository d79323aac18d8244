"""What every response tells browsers not to do."""

import pytest
from django.conf import settings
from django.test import AsyncClient, Client

HEADERS = {
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
}
PATHS = ["/", "/accounts/login/", "/admin/", "/no-such-page/"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_every_page_has_every_header(client: Client, path: str) -> None:
    response = client.get(path)

    assert set(response.headers) >= HEADERS
    assert "unsafe" not in response.headers["Content-Security-Policy"]


@pytest.mark.django_db(transaction=True)
async def test_async_pages_have_them_too(async_client: AsyncClient) -> None:
    response = await async_client.get("/")

    assert set(response.headers) >= HEADERS


@pytest.mark.django_db
def test_scripts_cannot_read_the_cookies(client: Client) -> None:
    client.get("/accounts/login/")

    cookie = client.cookies[settings.CSRF_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
