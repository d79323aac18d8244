"""All that a WebSocket passes before it reaches a consumer."""

from typing import Any

from apps.realtime.access import WebSocketLogMiddleware
from apps.realtime.language import LanguageMiddleware
from apps.realtime.middleware import AuthMiddleware, OriginMiddleware
from apps.realtime.shutdown import ShutdownMiddleware


def websocket_stack(inner: Any) -> Any:
    """Return a router behind it, as Channels' AuthMiddlewareStack does."""
    return WebSocketLogMiddleware(
        ShutdownMiddleware(OriginMiddleware(AuthMiddleware(LanguageMiddleware(inner))))
    )
