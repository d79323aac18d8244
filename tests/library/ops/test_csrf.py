"""A form from an origin that is not trusted is told from one that has expired."""

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

LOGIN = "/accounts/login/"
ORIGIN = "https://tunnel.example:8443"
ADVICE = f"add {ORIGIN} to CSRF_TRUSTED_ORIGINS in .env, and restart."


def post(*, secure: bool = False, cookie: str = "", **headers: str) -> str:
    client = Client(enforce_csrf_checks=True)
    if cookie:
        client.cookies[settings.CSRF_COOKIE_NAME] = cookie
    response = client.post(LOGIN, secure=secure, headers=headers)
    assert response.status_code == 403
    return response.content.decode()


@pytest.mark.parametrize("is_debug", [True, False])
@pytest.mark.parametrize("name", ["origin", "referer"])
def test_an_origin_that_is_not_trusted_is_named(
    settings: Settings, caplog: pytest.LogCaptureFixture, name: str, is_debug: bool
) -> None:
    settings.DEBUG = is_debug
    url = {"origin": ORIGIN, "referer": f"{ORIGIN}/My/page?a=1"}[name]

    page = post(secure=True, **{name: url})

    assert "This form came from elsewhere" in page
    assert "expired" not in page
    assert (ADVICE in page) == is_debug
    (line,) = (one for one in caplog.records if one.name == "django.security.csrf")
    assert line.levelname == "WARNING"
    assert line.getMessage().startswith(f"Forbidden ({name.title()} checking failed")
    assert line.getMessage().endswith(ADVICE)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://*.example",
        "https://a.example<b>",
        "https://a.example,https://b.example",
        "https://A.example",
        "ftp://a.example",
    ],
)
def test_what_cannot_be_trusted_is_repeated_nowhere(
    settings: Settings, caplog: pytest.LogCaptureFixture, origin: str
) -> None:
    settings.DEBUG = True

    page = post(origin=origin)

    assert "This form came from elsewhere" in page
    assert origin not in page
    assert "CSRF_TRUSTED_ORIGINS" not in page + caplog.text


def test_no_referer_is_not_a_form_that_has_expired() -> None:
    assert "This form came from elsewhere" in post(secure=True)


@pytest.mark.parametrize("cookie", ["", "a" * 32, "short"])
def test_a_form_that_has_expired_is_not_from_elsewhere(
    settings: Settings, caplog: pytest.LogCaptureFixture, cookie: str
) -> None:
    settings.DEBUG = True

    page = post(cookie=cookie, origin="http://testserver")

    assert "This form has expired" in page
    assert "elsewhere" not in page
    assert "CSRF_TRUSTED_ORIGINS" not in page + caplog.text
