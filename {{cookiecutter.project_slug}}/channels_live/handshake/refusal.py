"""What a handshake is refused with, and how a page learns of it.

Browsers do not tell pages why. So socket.js asks over HTTP, at the socket's path, with
the page's origin in a header; pages of other sites can neither send it nor read the answer.
"""

import json
from typing import Any

from channels_live.base.asgi import Application, Receive, Scope, Send

ASKS = b"x-socket-origin"


class Refusal(Exception):
    """Raised where a socket is not let in, with the reason."""


def explain_refusals(websocket: Application, http: Any) -> Application:
    """Return an ASGI application that has such questions answered, and the rest too."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        inner = websocket if ASKS in dict(scope["headers"]) else http
        await inner(scope, receive, send)

    return application


async def tell(send: Send, reason: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    body = json.dumps({"reason": reason}).encode()
    await send({"type": "http.response.body", "body": body})
