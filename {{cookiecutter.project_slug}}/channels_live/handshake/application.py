"""What a WebSocket passes before it reaches a consumer: checks, limits and routes.

Browsers hide from pages why a handshake is refused. So socket.js asks over HTTP, at the
socket's path, with the page's origin in a header; pages of other sites can neither send it
nor read the answer.
"""

import gc
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from io import BytesIO
from typing import Any

from channels.exceptions import StopConsumer
from channels.routing import URLRouter
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.translation import get_language_from_request, override

from channels_live.base.asgi import Application, Receive, Scope, Send
from channels_live.base.budget import Budget
from channels_live.base.close_code import CloseCode, Refusal, Refused
from channels_live.base.tasks import is_server
from channels_live.base.threads import is_of_the_end
from channels_live.delivery.plain import is_outage
from channels_live.delivery.socket import Socket
from channels_live.handshake import authentication, origin
from channels_live.observe.log_context import LogContext
from channels_live.process import get_process

logger = logging.getLogger(__name__)

# For how long openings are counted, in seconds.
WINDOW = 10
# The header by which a page asks why its socket is refused.
ASKS = b"x-socket-origin"


def websocket_application(
    patterns: Sequence[Any],
    *,
    authenticate: authentication.Authenticate = authentication.session_login,
    origins: origin.Origins = origin.same_origin,
) -> Any:
    """Return an ASGI application for routes such as those of channels_urls.py.

    It refuses foreign origins, unknown paths and clients that open too many sockets, and
    puts `session` and `user` into the scope. It counts, logs and limits the sockets of
    all consumers, and closes each socket when its login ends.

    `authenticate` gets the handshake as a request, and the scope. It returns a user or
    None, or raises Refused. `origins` gets the request, and returns whether its origin is
    allowed. A route may lead to another such application, which checks its own paths.
    Raises TypeError or ValueError for arguments that would admit anybody.
    """
    if iscoroutinefunction(origins):
        raise TypeError(f"Expected a sync function, got origins={origins}.")
    if authenticate is authentication.session_login and origins is origin.any_origin:
        raise ValueError(
            "any_origin with session_login lets every page on the web open sockets with "
            "the cookies of its visitors. Use same_origin, or ticket_login."
        )
    routes = tuple(patterns)
    if any(isinstance(getattr(one, "callback", None), URLRouter) for one in routes):
        raise TypeError("Expected include() in a route, got a URLRouter.")
    # What is loaded by now stays: looking for garbage among it would cost a tenth of a
    # socket's time.
    gc.freeze()
    return WebsocketApplication(routes, authenticate, origins)


def explain_refusals(websocket: Application, http: Any) -> Application:
    """Return an ASGI application for HTTP that also tells pages why their WebSocket was
    refused. Called by servers alone."""
    is_server.set()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        inner = websocket if ASKS in dict(scope["headers"]) else http
        await inner(scope, receive, send)

    return application


@dataclass(eq=False)
class WebsocketApplication:
    routes: Any
    authenticate: authentication.Authenticate
    origins: origin.Origins
    openings: Budget = field(default_factory=lambda: Budget(WINDOW))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = as_request(scope)
        with suppress(Resolver404):
            request.resolver_match = resolve(request.path_info, urlconf=self.routes)
        match = request.resolver_match
        if match and isinstance(match.func, WebsocketApplication):
            serving = match.func(scope, receive, send)
        elif scope["type"] == "http":
            serving = self._explain(request, scope, send)
        else:
            socket = Socket(scope, receive, send)
            context = LogContext(request, lambda: socket.scope.get("session"))
            LogContext.current.set(context)
            serving = self._serve(request, socket)
        del request  # some kilobytes, and the socket may be open for hours
        await serving

    async def _explain(self, request: HttpRequest, scope: Scope, send: Send) -> None:
        """Tell a page why its socket is refused, if it is here."""
        request.META.setdefault("HTTP_ORIGIN", request.META["HTTP_X_SOCKET_ORIGIN"])
        reason = ""
        try:
            await self._admit(request, scope)
        except (Refusal, Refused) as refusal:
            reason = str(refusal)
        headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = json.dumps({"reason": reason}).encode()
        await send({"type": "http.response.body", "body": body})

    async def _admit(self, request: HttpRequest, scope: Scope) -> ResolverMatch:
        if get_process().is_ending:
            raise Refusal("the process is shutting down")
        origin.check_origin(request, self.origins)
        match = request.resolver_match
        if match is None:
            raise Refusal("unknown path")
        await authentication.authenticate(
            request, scope, self.openings, self.authenticate
        )
        return match

    async def _serve(self, request: HttpRequest, socket: Socket) -> None:
        process = get_process()
        process.sockets.add(socket)
        login: authentication.Login | None = None
        try:
            socket.scope["socket"] = socket
            match = await self._admit(request, socket.scope)
            socket.scope["url_route"] = vars(match)
            await process.start()
            login = authentication.Login(process, socket)
            language = get_language_from_request(request)
            del request
            with override(language):
                await match.func(socket.scope, login.receive, socket.send)
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
        except StopConsumer:  # nobody is there any more
            pass
        except Exception as error:
            code = CloseCode.SERVICE_RESTART
            if is_outage(error):
                code = CloseCode.TRY_AGAIN_LATER
            elif not is_of_the_end(error):
                code = CloseCode.INTERNAL_ERROR
                logger.exception("A consumer has failed.")
            await socket.close(code)
        finally:
            if login:
                login.follow()
            socket.end("left", CloseCode.ABNORMAL_CLOSURE)
            socket.outbox.close()
            process.registry.remove(socket)
            process.sockets.discard(socket)


def as_request(scope: Scope) -> HttpRequest:
    """Return a handshake as Django knows requests: what it says of a body is nothing."""
    headers = [one for one in scope["headers"] if one[0] != b"content-type"]
    handshake = {"method": "GET", "query_string": "", "headers": headers}
    return ASGIRequest({**scope, **handshake}, BytesIO())
