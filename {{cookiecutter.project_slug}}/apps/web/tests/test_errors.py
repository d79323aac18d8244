import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.test import Client, RequestFactory
from django.views import defaults
from pytest_django import Settings
from pytest_django.asserts import assertContains


def test_not_found_has_the_projects_look(client: Client) -> None:
    response = client.get("/no/such/page/")

    assertContains(response, "Nothing is here", status_code=404)
    assertContains(response, 'class="site-header"', status_code=404)


def test_forbidden_has_the_projects_look(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()

    response = defaults.permission_denied(request, PermissionDenied())

    assertContains(response, "You may not do this", status_code=403)


def test_a_form_without_its_token_is_explained() -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/")

    assertContains(response, "This form has expired", status_code=403)


def test_a_form_from_elsewhere_is_told_from_one_that_expired(
    settings: Settings,
) -> None:
    settings.DEBUG = True
    headers = {"origin": "https://tunnel.example"}

    response = Client(enforce_csrf_checks=True).post(
        "/accounts/login/", headers=headers
    )

    assertContains(response, "This form came from elsewhere", status_code=403)
    advice = "add https://tunnel.example to CSRF_TRUSTED_ORIGINS in .env, and restart"
    assertContains(response, advice, status_code=403)


def test_bad_request_has_the_projects_look(settings: Settings) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    encoding = "application/x-www-form-urlencoded; charset=utf-7"

    response = client.post("/", b"a=1", content_type=encoding)

    assertContains(response, "This request is invalid", status_code=400)


def test_server_error_needs_no_context_and_no_database(rf: RequestFactory) -> None:
    response = defaults.server_error(rf.get("/"))

    assertContains(response, "Something broke on our side", status_code=500)
    assertContains(response, "css/site.css", status_code=500)


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500", "503"])
def test_error_pages_run_no_inline_code(rf: RequestFactory, name: str) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()

    page = render(request, f"{name}.html")

    assert not re.search(rb"<script(?! src=)", page.content)
    assert b"style=" not in page.content
