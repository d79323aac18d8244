"""All that a WebSocket passes before it reaches a consumer."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from io import BytesIO
from typing import Any, cast

from channels.routing import URLRouter
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.translation import get_language_from_request, override

from channels_live.base.asgi import Application, Event, Receive, Scope, Send
from channels_live.base.budget import Budget
from channels_live.base.close_code import CloseCode
from channels_live.base.loops import is_server
from channels_live.commands import disconnect
from channels_live.delivery.socket import Socket
from channels_live.handshake.authentication import authenticate
from channels_live.handshake.origin import check_origin
from channels_live.handshake.refusal import Refusal, tell
from channels_live.observe.log_context import LogContext
from channels_live.process import get_process
from channels_live.revocation import Login

logger = logging.getLogger(__name__)

# For how long openings are counted, in seconds.
WINDOW = 10


def websocket_application(patterns: Sequence[Any]) -> Application:
    """Return an ASGI application for the routes of channels_urls.py.

    It refuses foreign origins, unknown paths and whoever opens too many sockets, puts
    `session` and `user` into the scope, and has every consumer's socket counted,
    logged, limited, and closed when the login that opened it ends.
    """
    routes = tuple(patterns)
    if any(isinstance(getattr(one, "callback", None), URLRouter) for one in routes):
        raise TypeError("Expected include() in a route, got a URLRouter.")
    openings = Budget(WINDOW)
    is_server.set()

    async def admit(request: HttpRequest, scope: Scope) -> ResolverMatch:
        if get_process().is_ending:
            raise Refusal("the process ends")
        check_origin(request)
        await authenticate(request, scope, openings)
        try:
            return resolve(request.path_info, urlconf=routes)  # type: ignore[arg-type]
        except Resolver404:
            raise Refusal("unknown path") from None

    async def explain(scope: Scope, send: Send) -> None:
        """Tell a page why its socket is refused, if it is here."""
        request = as_request(scope)
        request.META.setdefault("HTTP_ORIGIN", request.META["HTTP_X_SOCKET_ORIGIN"])
        reason = ""
        try:
            await admit(request, scope)
        except Refusal as refusal:
            reason = str(refusal)
        await tell(send, reason)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await explain(scope, send)
            return
        process = get_process()
        request = as_request(scope)
        socket = Socket(scope, receive, send)
        LogContext.current.set(SocketContext(socket, request, routes))
        process.sockets.add(socket)
        login: Login | None = None
        try:
            socket.scope = cast(Scope, dict(scope, socket=socket))
            match = await admit(request, socket.scope)
            socket.scope["url_route"] = vars(match)
            await process.start()
            login = Login(process.registry, socket)

            async def hear() -> Event:
                follow(login)
                return await socket.receive()

            with override(get_language_from_request(request)):
                await match.func(socket.scope, hear, socket.send)
        except Refusal as refusal:
            await socket.receive()
            await socket.close(CloseCode.NORMAL_CLOSURE, reason=str(refusal))
        except Exception as error:
            if not (socket.is_lost and isinstance(error, OSError)):
                logger.exception("A consumer has failed.")
                await socket.close(CloseCode.INTERNAL_ERROR)
        finally:
            follow(login)
            socket.end("left", CloseCode.ABNORMAL_CLOSURE)
            socket.outbox.close()
            process.registry.remove(socket)
            process.sockets.discard(socket)

    return application


def as_request(scope: Scope) -> HttpRequest:
    """Return a handshake as Django knows requests: what it says of a body is nothing."""
    headers = [one for one in scope["headers"] if one[0] != b"content-type"]
    request = {**scope, "method": "GET", "query_string": "", "headers": headers}
    return ASGIRequest(request, BytesIO())


def follow(login: Login | None) -> None:
    """Close the other sockets of a session that a consumer has ended over its own."""
    if login and (ended := login.follow()):
        disconnect(session=ended)


class SocketContext(LogContext):
    """Of the lines of a WebSocket."""

    def __init__(self, socket: Socket, request: HttpRequest, routes: Any) -> None:
        super().__init__(
            path=request.path,
            client=request.META.get("REMOTE_ADDR", ""),
            request_id=request.headers.get("X-Request-ID", ""),
        )
        self.socket = socket
        self.path_info, self.routes = request.path_info, routes

    @cached_property
    def arguments(self) -> dict[str, Any]:
        with suppress(Resolver404):
            return resolve(self.path_info, urlconf=self.routes).kwargs
        return {}

    @property
    def session(self) -> Any:
        return self.socket.scope.get("session")

    @property
    def route(self) -> str:
        found = self.socket.scope.get("url_route")
        return f"/{found['route']}" if found else self.path
