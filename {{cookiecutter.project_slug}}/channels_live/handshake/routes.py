"""System checks of the routes of consumers."""

from collections.abc import Iterator
from typing import Any

from channels.consumer import AsyncConsumer
from django.core import checks
from django.core.checks.urls import check_resolver
from django.urls import URLPattern, URLResolver, get_resolver

from channels_live.handshake.application import WebsocketApplication
from channels_live.utils import websocket_routes


def routes_in(resolver: URLResolver) -> Iterator[tuple[str, Any]]:
    """Yield each route and where it leads, also of what is included."""
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from routes_in(one)
        elif isinstance(one, URLPattern):
            yield one.pattern.describe(), one.callback


def is_consumer(view: Any) -> bool:
    return isinstance(view, type) and issubclass(view, AsyncConsumer)


@checks.register(checks.Tags.urls)
def check_websocket_routes(**kwargs: object) -> list[checks.CheckMessage]:
    """Report what Django reports of HTTP routes, and classes in the place of as_asgi()."""
    return list(check_application(websocket_routes()))


def check_application(routes: tuple[Any, ...]) -> Iterator[checks.CheckMessage]:
    resolver = get_resolver(routes)  # type: ignore[arg-type]
    yield from check_resolver(resolver)
    for route, view in routes_in(resolver):
        if isinstance(view, WebsocketApplication):
            yield from check_application(view.routes)
        elif is_consumer(view):
            yield checks.Error(
                f"The WebSocket route {route} leads to the class {view.__name__}.",
                hint=f"Write {view.__name__}.as_asgi().",
                id="channels_live.E002",
            )


@checks.register(checks.Tags.urls)
def check_http_routes(**kwargs: object) -> list[checks.CheckMessage]:
    """Report consumers where Django calls views."""
    return [
        checks.Error(
            f"The HTTP route {route} leads to a consumer, {view.__name__}.",
            hint="Move it to channels_urls.py. To stream over HTTP, write a view that "
            "returns a StreamingHttpResponse.",
            id="channels_live.E003",
        )
        for route, view in routes_in(get_resolver())
        if is_consumer(getattr(view, "consumer_class", view))
    ]
