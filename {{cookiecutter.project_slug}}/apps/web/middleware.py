"""Response headers that Django has no setting for."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csp import ContentSecurityPolicyMiddleware


class SecurityHeadersMiddleware(ContentSecurityPolicyMiddleware):
    """Adds SECURE_HEADERS to the Content-Security-Policy of each response.

    A view that sets one of them knows better.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        for name, value in settings.SECURE_HEADERS.items():
            response.headers.setdefault(name, value)
        return super().process_response(request, response)
