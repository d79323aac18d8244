import pytest
from django.http import HttpRequest
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from apps.users.models import User
from apps.web.context_processors import site


@pytest.mark.django_db
def test_says_what_this_is_and_offers_to_sign_up(client: Client) -> None:
    with override_settings(PROJECT_NAME="Harbour", PROJECT_DESCRIPTION="For <boats>."):
        response = client.get(reverse("home"))

    assertContains(response, "<h1>Harbour</h1>")
    assertContains(response, "For &lt;boats&gt;.")
    assertContains(response, f'href="{reverse("account_signup")}"')


@pytest.mark.django_db
def test_knows_who_is_signed_in(client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))

    response = client.get(reverse("home"))

    assertContains(response, ">ada</a>")
    assertContains(response, f'action="{reverse("account_logout")}"')
    assertNotContains(response, f'href="{reverse("account_signup")}"')


def test_the_navigation_is_a_setting() -> None:
    with override_settings(NAVIGATION=[("Start", "home")]):
        assert site(HttpRequest())["navigation"] == [("Start", "/")]
