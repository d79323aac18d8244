"""The language that a socket is spoken to in."""

from django.http import HttpRequest
from django.utils.translation import get_language_from_request, override

from channels_live.base.asgi import Application, Receive, Scope, Send, get_header


class LanguageMiddleware:
    """Have a consumer speak the language of the page that opened its socket.

    Django's LocaleMiddleware decides it for pages, from a cookie and from what the
    browser asks for; a handshake has both. It is that of the socket's task alone.
    """

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with override(get_language(scope)):
            await self.inner(scope, receive, send)


def get_language(scope: Scope) -> str:
    """Return one of settings.LANGUAGES for a scope with `cookies` in it."""
    request = HttpRequest()
    request.COOKIES = scope["cookies"]
    request.META["HTTP_ACCEPT_LANGUAGE"] = get_header(scope, b"accept-language")
    return get_language_from_request(request)
