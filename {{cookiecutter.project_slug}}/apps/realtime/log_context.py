"""What all log lines of a request or a WebSocket have in common."""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth import SESSION_KEY

# Longer ones are cut, as are all texts that strangers choose.
MAX_LENGTH = 1000
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class Context(Protocol):
    @property
    def route(self) -> str: ...

    def fields(self) -> dict[str, Any]: ...

    def without_secrets(self, text: str) -> str: ...


# Asked for each line; a thread has the context of whoever waits for it.
current: ContextVar[Context | None] = ContextVar("log_context", default=None)


@dataclass
class SocketContext:
    """Of a WebSocket. The session is known once its cookie has been looked at."""

    request_id: str
    client: str
    path: str
    session: Any = None

    @property
    def route(self) -> str:
        patterns = import_module(settings.WEBSOCKET_URLCONF).websocket_urlpatterns
        found = [p.pattern for p in patterns if p.pattern.match(self.path[1:])]
        return f"/{found[0]}" if found else ""

    def fields(self) -> dict[str, Any]:
        return {
            "path": self.path[:MAX_LENGTH],
            "user": user_of(self.session),
            "client": self.client,
            "request_id": self.request_id,
        }

    def without_secrets(self, text: str) -> str:
        return text


def remember_session(session: Any) -> None:
    """Have the lines of this WebSocket say whose it is."""
    context = current.get()
    if isinstance(context, SocketContext):
        context.session = session


def user_of(session: Any) -> str | None:
    """Return the primary key of a session's user, without a query for the session."""
    loaded: dict[str, Any] = getattr(session, "_session_cache", {})
    return loaded.get(SESSION_KEY)


def get_request_id(given: str) -> str:
    """Return the id that a trusted proxy has given, or a new one."""
    if settings.BEHIND_PROXY and REQUEST_ID.fullmatch(given):
        return given
    return secrets.token_hex(8)
