"""The router for WebSocket paths."""

from collections.abc import Sequence
from typing import Any, cast

from channels.routing import URLRouter
from django.conf import settings
from django.urls import re_path

from apps.realtime.counts import counts


class WebSocketRouter(URLRouter):
    """Channels' URLRouter that refuses an unknown path instead of raising ValueError.

    A mount point (FORCE_SCRIPT_NAME or the server's root_path) is taken off the path
    first, as Django does for HTTP.
    """

    def __init__(self, routes: Sequence[Any]) -> None:
        unknown: Any = re_path(r"", cast(Any, Refuse("unknown path")))
        super().__init__([*routes, unknown])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        mount = settings.FORCE_SCRIPT_NAME or scope.get("root_path") or ""
        path = scope["path"]
        if path.startswith(mount.rstrip("/") + "/"):
            path = path[len(mount.rstrip("/")) :]
        scope = dict(scope, path=path, root_path="")
        await super().__call__(scope, receive, send)


class Refuse:
    """Answers the WebSocket handshake with HTTP 403. The reason is for the log alone."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        counts.refused_handshakes += 1
        await receive()
        await send({"type": "websocket.close", "reason": self.reason})
