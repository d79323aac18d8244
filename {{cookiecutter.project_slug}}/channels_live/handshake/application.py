"""All that a WebSocket passes before it reaches a consumer."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from inspect import iscoroutinefunction
from io import BytesIO
from typing import Any, cast
from weakref import WeakSet

from channels.routing import URLRouter
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.translation import get_language_from_request, override

from channels_live.base.asgi import Application, Event, Receive, Scope, Send
from channels_live.base.budget import Budget
from channels_live.base.close_code import CloseCode
from channels_live.base.work import is_server
from channels_live.commands import disconnect
from channels_live.consumers import Refused
from channels_live.delivery.socket import Socket
from channels_live.handshake import authentication
from channels_live.handshake.origin import (
    Origins,
    any_origin,
    check_origin,
    same_origin,
)
from channels_live.handshake.refusal import Refusal, tell
from channels_live.observe.log_context import LogContext
from channels_live.process import get_process
from channels_live.revocation import Login

logger = logging.getLogger(__name__)

# For how long openings are counted, in seconds.
WINDOW = 10

# What websocket_application() has returned.
applications = WeakSet[Application]()


def websocket_application(
    patterns: Sequence[Any],
    *,
    authenticate: authentication.Login = authentication.session_login,
    origins: Origins = same_origin,
) -> Application:
    """Return an ASGI application for routes such as those of channels_urls.py.

    It refuses foreign origins, unknown paths and whoever opens too many sockets, puts
    `session` and `user` into the scope, and has every consumer's socket counted,
    logged, limited, and closed when the login that opened it ends.

    `authenticate` is given the handshake as a request, and the scope; it returns a user
    or None, or raises Refused. `origins` says whether a handshake comes from where it may.
    A route may lead to another such application, which sees to its own paths.
    Raises TypeError or ValueError for what would let in anybody.
    """
    if not iscoroutinefunction(authenticate):
        raise TypeError(f"Expected an async function, got authenticate={authenticate}.")
    if not callable(origins) or iscoroutinefunction(origins):
        raise TypeError(
            f"Expected a function that is not async, got origins={origins}."
        )
    if authenticate is authentication.session_login and origins is any_origin:
        raise ValueError(
            "any_origin with session_login lets every page on the web open sockets with "
            "the cookies of its visitors. Use same_origin, or ticket_login."
        )
    routes = tuple(patterns)
    if any(isinstance(getattr(one, "callback", None), URLRouter) for one in routes):
        raise TypeError("Expected include() in a route, got a URLRouter.")
    openings = Budget(WINDOW)
    is_server.set()

    def find(request: HttpRequest) -> ResolverMatch | None:
        with suppress(Resolver404):
            return resolve(request.path_info, urlconf=routes)  # type: ignore[arg-type]
        return None

    async def admit(
        request: HttpRequest, scope: Scope, match: ResolverMatch | None
    ) -> ResolverMatch:
        if get_process().is_ending:
            raise Refusal("the process ends")
        check_origin(request, origins)
        if match is None:
            raise Refusal("unknown path")
        await authentication.authenticate(request, scope, openings, authenticate)
        return match

    async def explain(
        request: HttpRequest, scope: Scope, send: Send, match: ResolverMatch | None
    ) -> None:
        """Tell a page why its socket is refused, if it is here."""
        request.META.setdefault("HTTP_ORIGIN", request.META["HTTP_X_SOCKET_ORIGIN"])
        reason = ""
        try:
            await admit(request, scope, match)
        except Refusal as refusal:
            reason = str(refusal)
        except Refused as refused:
            reason = f"close code {refused.code}"
        await tell(send, reason)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = as_request(scope)
        if (match := find(request)) and match.func in applications:
            await match.func(scope, receive, send)
            return
        if scope["type"] == "http":
            await explain(request, scope, send, match)
            return
        process = get_process()
        socket = Socket(scope, receive, send)
        LogContext.current.set(SocketContext(socket, request, routes))
        process.sockets.add(socket)
        login: Login | None = None
        try:
            socket.scope = cast(Scope, dict(scope, socket=socket))
            match = await admit(request, socket.scope, match)
            socket.scope["url_route"] = vars(match)
            await process.start()
            login = Login(process.registry, socket)

            async def hear() -> Event:
                follow(login)
                return await socket.receive()

            with override(get_language_from_request(request)):
                await match.func(socket.scope, hear, socket.send)
        except Refusal as refusal:
            if socket.is_open:  # to show its ticket
                await socket.close(CloseCode.TRY_AGAIN_LATER, how="refused")
                return
            await socket.receive()
            await socket.close(CloseCode.NORMAL_CLOSURE, reason=str(refusal))
        except Refused as refused:
            # A code can only be told to a socket that is open.
            if not socket.is_closed and not socket.is_open:
                await socket.receive()
                await socket.send({"type": "websocket.accept"})
            await socket.close(refused.code, how="refused")
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

    applications.add(application)
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
        found = self.socket.scope.get("url_route", {}).get("route")
        return self.path if found is None else f"/{found}"
