import re
from typing import ClassVar

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from pytest_django.asserts import assertContains, assertRedirects

from apps.users.models import User

PASSWORD = "Engines-weave-algebra-1"
NEW_PASSWORD = "Looms-weave-flowers-2"

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.com", PASSWORD)


def sign_in(client: Client, login: str, password: str) -> bool:
    client.post(reverse("account_login"), {"login": login, "password": password})
    return get_user(client).is_authenticated


def test_sign_up_signs_in_and_leads_home(client: Client) -> None:
    response = client.post(
        reverse("account_signup"),
        {"username": "ada", "password1": PASSWORD, "password2": PASSWORD},
    )

    assertRedirects(response, reverse("home"))
    assert get_user(client) == User.objects.get(username="ada")


class Remember(MinimumLengthValidator):
    """A validator that notes passwords, so that they are not used again."""

    told: ClassVar[list[tuple[str, str]]] = []

    def password_changed(self, password: str, user: User) -> None:
        self.told.append((password, user.username))


def test_sign_up_tells_validators_of_the_password(
    client: Client, settings: Settings
) -> None:
    name = f"{Remember.__module__}.{Remember.__name__}"
    settings.AUTH_PASSWORD_VALIDATORS = [{"NAME": name}]
    client.post(
        reverse("account_signup"),
        {"username": "ada", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert Remember.told == [(PASSWORD, "ada")]


def test_sign_up_refuses_a_weak_password(client: Client) -> None:
    response = client.post(
        reverse("account_signup"),
        {"username": "ada", "password1": "12345", "password2": "12345"},
    )

    assertContains(response, "This password is too short")
    assert not User.objects.exists()


@pytest.mark.parametrize("login", ["ada", "ada@example.com"])
def test_sign_in_by_name_or_e_mail(client: Client, ada: User, login: str) -> None:
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True)
    assert sign_in(client, login, PASSWORD)


def test_sign_in_refuses_a_wrong_password(client: Client, ada: User) -> None:
    assert not sign_in(client, "ada", NEW_PASSWORD)


def test_the_log_says_why_nobody_without_an_address_gets_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert not sign_in(Client(REMOTE_ADDR=""), "ada", PASSWORD)

    assert "BEHIND_PROXY" in caplog.text


def test_sign_out_takes_a_post(client: Client, ada: User) -> None:
    client.force_login(ada)

    client.get(reverse("account_logout"))
    assert get_user(client) == ada

    response = client.post(reverse("account_logout"))
    assertRedirects(response, reverse("home"))
    assert not get_user(client).is_authenticated


def test_password_change(client: Client, ada: User) -> None:
    sign_in(client, "ada", PASSWORD)

    client.post(
        reverse("account_change_password"),
        {
            "oldpassword": PASSWORD,
            "password1": NEW_PASSWORD,
            "password2": NEW_PASSWORD,
        },
    )

    assert not sign_in(Client(), "ada", PASSWORD)
    assert sign_in(Client(), "ada", NEW_PASSWORD)


def test_password_reset_by_e_mail(client: Client, ada: User) -> None:
    client.post(reverse("account_reset_password"), {"email": ada.email})
    [message] = mail.outbox
    link = re.search(
        r"https?://[^/]+(/accounts/password/reset/key/\S+)", str(message.body)
    )
    assert link

    # The key moves into the session, so that it does not leave with a Referer.
    response = client.get(link[1], follow=True)
    response = client.post(
        response.request["PATH_INFO"],
        {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )

    assertRedirects(response, reverse("home"))
    assert get_user(client) == ada
    assert sign_in(Client(), "ada", NEW_PASSWORD)


def test_password_reset_does_not_tell_who_has_an_account(client: Client) -> None:
    response = client.post(
        reverse("account_reset_password"), {"email": "nobody@example.com"}
    )

    assertRedirects(response, reverse("account_reset_password_done"))


def test_confirming_an_e_mail_address(client: Client) -> None:
    client.post(
        reverse("account_signup"),
        {
            "username": "ada",
            "email": "ada@example.com",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )
    [message] = mail.outbox
    link = re.search(r"https?://[^/]+(/accounts/confirm-email/\S+)", str(message.body))
    assert link

    assertContains(client.get(link[1]), "ada@example.com")
    client.post(link[1])

    assert EmailAddress.objects.get(user__username="ada").verified


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_signup",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
        "account_email_verification_sent",
        "account_inactive",
    ],
)
def test_pages_for_visitors_have_the_projects_look(client: Client, name: str) -> None:
    assertContains(client.get(reverse(name)), 'class="site-header"')


@pytest.mark.parametrize(
    "name", ["account_email", "account_change_password", "account_logout"]
)
def test_pages_for_users_have_the_projects_look(
    client: Client, ada: User, name: str
) -> None:
    client.force_login(ada)

    assertContains(client.get(reverse(name)), 'class="tabs"')
