"""The router for WebSocket paths."""

from collections.abc import Sequence
from typing import Any, cast

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
        scope = cast(Scope, dict(scope, path=path_below_mount(scope), root_path=""))
        await super().__call__(scope, receive, send)

    def check(self, scope: Scope) -> None:
        """Refuse a path that leads nowhere."""
        path = path_below_mount(scope).removeprefix("/")
        if not any(route.pattern.match(path) for route in self.routes[:-1]):
            raise Refusal("unknown path")


def path_below_mount(scope: Scope) -> str:
    mount = (settings.FORCE_SCRIPT_NAME or scope.get("root_path") or "").rstrip("/")
    path = scope["path"]
    return path[len(mount) :] if path.startswith(mount + "/") else path


async def unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    raise Refusal("unknown path")
