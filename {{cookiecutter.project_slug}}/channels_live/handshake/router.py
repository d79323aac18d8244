"""The router for WebSocket paths."""

from collections.abc import Sequence
from typing import Any

from channels.routing import URLRouter
from django.conf import settings
from django.urls import re_path

from channels_live.base.asgi import Receive, Scope, Send
from channels_live.handshake.refusal import Refusal


class WebSocketRouter(URLRouter):
    """Channels' URLRouter that refuses an unknown path instead of raising ValueError.

    A mount point (FORCE_SCRIPT_NAME or the server's root_path) is taken off the path
    first, as Django does for HTTP.
    """

    def __init__(self, routes: Sequence[Any]) -> None:
        unknown: Any = unknown_path
        super().__init__([*routes, re_path(r"", unknown)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mount = settings.FORCE_SCRIPT_NAME or scope.get("root_path") or ""
        path = scope["path"]
        if path.startswith(mount.rstrip("/") + "/"):
            path = path[len(mount.rstrip("/")) :]
        await super().__call__(dict(scope, path=path, root_path=""), receive, send)


async def unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    raise Refusal("unknown path")
