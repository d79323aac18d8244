"""What allauth is to do otherwise."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from apps.users.backends import find_user
from apps.users.models import User
from channels_live.utils import absolute_url

# A cookie that marks a browser: its id, and the last users who have logged in there.
KNOWN = f"{settings.SESSION_COOKIE_NAME}_known"
KNOWN_FOR = 365 * 24 * 60 * 60  # seconds
USERS = 5


class AccountAdapter(DefaultAccountAdapter):
    def send_mail(
        self, template_prefix: str, email: str, context: dict[str, Any]
    ) -> None:
        """Have links lead to the Site, whatever the request said of its host."""
        links = {
            name: absolute_url(urlsplit(value)._replace(scheme="", netloc="").geturl())
            for name, value in context.items()
            if name.endswith("_url")
        }
        super().send_mail(template_prefix, email, {**context, **links})

    def _get_login_attempts_cache_key(
        self, request: HttpRequest, **credentials: Any
    ) -> str:
        """Count tries by account, and by browser or address: others lock no owner out."""
        account = super()._get_login_attempts_cache_key(request, **credentials)
        browser = find_known_browser(request, **credentials)
        return f"{account} {browser or self.get_client_ip(request)}"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Limit what all browsers that are not known try together, from anywhere."""
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
        """Mark the browser as one that this user is known in."""
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
    """Return the id of a browser, a new one if need be, and the users it has known."""
    mark = request.get_signed_cookie(KNOWN, "", max_age=KNOWN_FOR)
    return (mark or get_random_string(22)).split()


def find_known_browser(request: HttpRequest, **credentials: Any) -> str:
    """Return the id of the browser if it knows whom the credentials name, or else ""."""
    browser, *users = read_mark(request)
    user = find_user(**credentials) if users else None
    return browser if user and str(user.pk) in users else ""
