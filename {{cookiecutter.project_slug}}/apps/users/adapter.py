"""What allauth is to do otherwise."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from channels_live.utils import absolute_url


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
        """Count tries by account and address: others cannot lock an owner out."""
        account = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{account} {self.get_client_ip(request)}"
