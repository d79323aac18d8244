"""Response headers that Django has no setting for."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def security_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Add settings.SECURE_HEADERS; a view that sets one of them knows better."""

    def add(response: HttpResponse) -> HttpResponse:
        for name, value in settings.SECURE_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def middleware(request: HttpRequest) -> HttpResponse:
        return add(get_response(request))

    async def async_middleware(request: HttpRequest) -> HttpResponse:
        answer: Awaitable[HttpResponse] = get_response(request)
        return add(await answer)

    return async_middleware if iscoroutinefunction(get_response) else middleware
