"""What allauth does differently here: logins, their limits, and links in e-mails."""

import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.account import forms
from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import get_user_by_username
from allauth.account.models import EmailAddress
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.db import IntegrityError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from apps.users.models import User
from channels_live.utils import absolute_url

logger = logging.getLogger(__name__)

# A cookie that marks a browser: its id, and the last users who have logged in there.
KNOWN = f"{settings.SESSION_COOKIE_NAME}_known"
KNOWN_FOR = 365 * 24 * 60 * 60  # seconds
USERS = 5
# Without an @, which addresses have: a name may not be the address of somebody else.
USERNAME_VALIDATORS = [
    ASCIIUsernameValidator(
        r"^[\w.+-]+\Z",
        _("Enter a valid username: letters from a to z, digits and . + - _ only."),
    )
]


class OneHashBackend(AuthenticationBackend):
    """Logs in by username or confirmed e-mail address.

    A login of an unknown user costs one hash too, so its duration reveals nothing.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        user = find_user(**credentials)
        let_go()
        return self._check_password(user, credentials["password"])


class SignupForm(forms.SignupForm):
    def try_save(self, request: HttpRequest) -> tuple[Any, Any]:
        let_go()
        try:
            return super().try_save(request)  # type: ignore[no-any-return]
        except IntegrityError:  # somebody else took the name at the same time
            self.add_error("username", get_adapter().error_messages["username_taken"])
            return None, render(request, "account/signup.html", {"form": self})


class AccountAdapter(DefaultAccountAdapter):
    def send_mail(
        self, template_prefix: str, email: str, context: dict[str, Any]
    ) -> None:
        """Make links lead to the Site, whatever the Host of the request."""
        links = {
            name: absolute_url(urlsplit(value)._replace(scheme="", netloc="").geturl())
            for name, value in context.items()
            if name.endswith("_url")
        }
        super().send_mail(template_prefix, email, {**context, **links})

    def get_client_ip(self, request: HttpRequest) -> str:
        if not request.META.get("REMOTE_ADDR"):  # as through a Unix socket
            logger.warning("Without an address, nobody can log in: set BEHIND_PROXY.")
        return super().get_client_ip(request)  # type: ignore[no-any-return]

    def _get_login_attempts_cache_key(
        self, request: HttpRequest, **credentials: Any
    ) -> str:
        """Count by account and known browser or address: nobody locks others out."""
        account = super()._get_login_attempts_cache_key(request, **credentials)
        browser = find_known_browser(request, **credentials)
        return f"{account} {browser or self.get_client_ip(request)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Limit the attempts of all unknown browsers together."""
        super().pre_authenticate(request, **credentials)
        if find_known_browser(request, **credentials):
            return
        usage = ratelimit.consume(
            request,
            app="allauth.account",
            action="login_failed_elsewhere",
            key=super()._get_login_attempts_cache_key(request, **credentials),
        )
        if not usage:
            raise self.validation_error("too_many_login_attempts")
        self._login_failed_rl_usage.usage += usage.usage  # none, if the login succeeds

    def post_login(
        self, request: HttpRequest, user: User, **details: Any
    ) -> HttpResponse:
        """Mark the browser as known for this user."""
        response: HttpResponse = super().post_login(request, user, **details)
        browser, *users = read_mark(request)
        users = list(dict.fromkeys([str(user.pk), *users]))[:USERS]
        response.set_signed_cookie(
            KNOWN,
            " ".join([browser, *users]),
            max_age=KNOWN_FOR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response


def read_mark(request: HttpRequest) -> list[str]:
    """Return the id of a browser, new if it has none, and the users known in it."""
    mark = request.get_signed_cookie(KNOWN, "", max_age=KNOWN_FOR)
    return (mark or get_random_string(22)).split()


def find_known_browser(request: HttpRequest, **credentials: Any) -> str:
    """Return the browser's id if it is known for this user, otherwise ""."""
    browser, *users = read_mark(request)
    user = find_user(**credentials) if users else None
    return browser if user and str(user.pk) in users else ""


def let_go() -> None:
    """Release the database connection while a password is hashed."""
    if not connection.in_atomic_block:
        connection.close()


def find_user(**credentials: Any) -> Any:
    """Return the user of these credentials, or None."""
    login = credentials.get("username") or credentials["email"]
    proven = EmailAddress.objects.filter(email=login.lower(), verified=True).first()
    return proven.user if proven else get_user_by_username(login)
