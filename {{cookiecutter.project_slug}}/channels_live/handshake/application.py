"""All that a WebSocket passes before it reaches a consumer."""

import logging
from collections.abc import Sequence
from typing import Any, cast

from django.contrib.sessions.backends.base import SessionBase

from channels_live.base.asgi import Application, Receive, Scope, Send, get_header
from channels_live.base.close_code import CloseCode
from channels_live.delivery.socket import Socket
from channels_live.handshake.authentication import AuthMiddleware
from channels_live.handshake.language import LanguageMiddleware
from channels_live.handshake.origin import OriginMiddleware
from channels_live.handshake.router import WebSocketRouter, refuse
from channels_live.observe.log_context import LogContext
from channels_live.process import get_process
from channels_live.utils import find_websocket_route

logger = logging.getLogger(__name__)


def websocket_application(patterns: Sequence[Any]) -> Application:
    """Return an ASGI application for the routes of channels_urls.py.

    It refuses foreign origins, unknown paths and whoever opens too many sockets, puts
    `session` and `user` into the scope, and has every consumer's socket counted,
    logged, limited, and closed when the login that opened it ends.
    """
    router = WebSocketRouter(patterns)
    return SocketMiddleware(
        OriginMiddleware(AuthMiddleware(LanguageMiddleware(router)))
    )


class SocketContext(LogContext):
    """Of the lines of a WebSocket."""

    def __init__(self, scope: Scope, socket: Socket) -> None:
        client, _ = scope.get("client") or ("", 0)
        request_id = get_header(scope, b"x-request-id")
        super().__init__(path=scope["path"], client=client, request_id=request_id)
        self._socket = socket

    @property
    def session(self) -> SessionBase | None:  # type: ignore[override]
        return self._socket.scope.get("session")

    @property
    def route(self) -> str:  # type: ignore[override]
        return find_websocket_route(self.path)


class SocketMiddleware:
    """Knows the sockets of the process. What a consumer raises is logged here."""

    def __init__(self, inner: Application) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        process = get_process()
        socket = Socket(scope, receive, send)
        LogContext.current.set(SocketContext(scope, socket))
        if process.is_ending:
            await refuse(socket.receive, socket.send, "the process ends")
            return
        process.sockets.add(socket)
        scope = cast(Scope, dict(scope, socket=socket))
        try:
            await self.inner(scope, socket.receive, socket.send)
        except Exception as error:
            if not (socket.is_lost and isinstance(error, OSError)):
                logger.exception("A consumer has failed.")
                await socket.close(CloseCode.INTERNAL_ERROR)
        finally:
            socket.end("left", CloseCode.ABNORMAL_CLOSURE)
            socket.outbox.close()
            process.registry.remove(socket)
            process.sockets.discard(socket)
