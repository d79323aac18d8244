"""What all log lines of a request or a WebSocket have in common."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from typing import Any, ClassVar

from django.contrib.auth import SESSION_KEY

from channels_live import conf

# Longer ones are cut, as are all texts that strangers choose.
MAX_LENGTH = 1000
# Arguments of routes that are not logged, and how long they are where any text of a line
# may have them; shorter ones are parts of paths.
SECRETS = {"key", "token"}
SHORTEST_SECRET = 8
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class LogContext:
    """Whose line it is: set for a request or a socket, and asked for each line.

    A thread has that of whoever waits for it.
    """

    current: ClassVar[ContextVar[LogContext | None]] = ContextVar(
        "log_context", default=None
    )

    def __init__(self, *, path: str, client: str, request_id: str = "") -> None:
        """`request_id` is what a request says it is: believed behind a proxy alone."""
        is_given = conf.get("BEHIND_PROXY") and REQUEST_ID.fullmatch(request_id)
        self.request_id = request_id if is_given else secrets.token_hex(8)
        self.path = path
        self.client = client

    @property
    def session(self) -> Any:
        """The session, once it was looked at."""
        return None

    @property
    def route(self) -> str:
        """The pattern of the URL, or the path itself."""
        return self.path

    def fields(self) -> dict[str, str | None]:
        """Return what a line says besides, in a log for machines."""
        loaded: dict[str, str] = getattr(self.session, "_session_cache", {})
        return {
            "path": self.without_secrets(self.path)[:MAX_LENGTH],
            "user": loaded.get(SESSION_KEY),
            "client": self.client,
            "request_id": self.request_id,
        }

    @property
    def arguments(self) -> dict[str, Any]:
        """What the route finds in the path."""
        return {}

    def without_secrets(self, text: str) -> str:
        """Return a text without what lets in whoever knows it, or is private itself."""
        for name in SECRETS.intersection(self.arguments):
            secret = re.escape(str(self.arguments[name]))
            if len(secret) < SHORTEST_SECRET:
                secret = rf"(?<=/){secret}(?=[/\s?]|$)"
            text = re.sub(secret, "***", text)
        return text
