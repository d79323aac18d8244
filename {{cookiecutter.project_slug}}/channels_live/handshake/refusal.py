"""The reasons why handshakes are refused, and how pages get them.

Browsers hide the reason from pages. So socket.js asks over HTTP, at the socket's path, with
the page's origin in a header; pages of other sites can neither send it nor read the answer.
"""

import json
from typing import Any

from channels_live.base.asgi import Application, Receive, Scope, Send

ASKS = b"x-socket-origin"


class Refusal(Exception):
    """Raised to refuse a handshake, with the reason."""


def explain_refusals(websocket: Application, http: Any) -> Application:
    """Return an ASGI application for HTTP that also tells pages why their WebSocket was
    refused."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        inner = websocket if ASKS in dict(scope["headers"]) else http
        await inner(scope, receive, send)

    return application


async def tell(send: Send, reason: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = json.dumps({"reason": reason}).encode()
    await send({"type": "http.response.body", "body": body})
