"""Logs people in by their username, or by an e-mail address that they have proven."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import get_user_by_username
from allauth.account.models import EmailAddress
from django.db import connection
from django.http import HttpRequest


class OneHashBackend(AuthenticationBackend):
    """Compares a password with that of one account, whoever else signed up with it.

    Of a login that is nobody's a hash is made too, so the time tells nothing.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        user = find_user(**credentials)
        let_go()
        return self._check_password(user, credentials["password"])


def let_go() -> None:
    """Let others have the database connection while a hash is made."""
    if not connection.in_atomic_block:
        connection.close()


def find_user(**credentials: Any) -> Any:
    """Return whom a login names, or None."""
    login = credentials.get("username") or credentials["email"]
    proven = EmailAddress.objects.filter(email=login.lower(), verified=True).first()
    return proven.user if proven else get_user_by_username(login)
