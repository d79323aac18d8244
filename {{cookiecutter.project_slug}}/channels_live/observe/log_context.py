"""The fields that all log lines of a request or a WebSocket share."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.urls import ResolverMatch

# Longer ones are cut, as are all texts that strangers choose.
MAX_LENGTH = 1000
# Arguments of routes that are not logged. Of those that are shorter, any text may have the
# letters: they are hidden in paths alone.
SECRETS = {"key", "token"}
SHORTEST_SECRET = 8
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class LogContext:
    """The request or socket that log lines belong to.

    A thread has the context of the code that waits for it.
    """

    current: ClassVar[ContextVar[LogContext | None]] = ContextVar(
        "log_context", default=None
    )

    def __init__(self, request: HttpRequest, get_session: Callable[[], Any]) -> None:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        # A proxy that is trusted with the scheme is trusted with this too.
        is_good = settings.SECURE_PROXY_SSL_HEADER and REQUEST_ID.fullmatch(given)
        self.request_id = given if is_good else f"{random.getrandbits(64):016x}"
        self.path = request.path
        self.client = request.META.get("REMOTE_ADDR", "")
        self._get_session = get_session
        self._match = request.resolver_match

    @property
    def match(self) -> ResolverMatch | None:
        """The route of the path, if there is one."""
        return self._match

    @property
    def route(self) -> str:
        """The pattern of the URL."""
        return f"/{self.match.route}" if self.match else ""

    def fields(self) -> dict[str, str | None]:
        """Return the additional fields of a line in the JSON log."""
        loaded: dict[str, str] = getattr(self._get_session(), "_session_cache", {})
        return {
            "path": self.without_secrets(self.path)[:MAX_LENGTH],
            "user": loaded.get(SESSION_KEY),
            "client": self.client,
            "request_id": self.request_id,
        }

    def without_secrets(self, text: str) -> str:
        """Return a text without secret or private arguments of the route."""
        arguments = self.match.kwargs if self.match else {}
        found = (str(arguments[name]) for name in SECRETS.intersection(arguments))
        for secret in filter(None, found):
            before = "/" if len(secret) < SHORTEST_SECRET else ""
            text = text.replace(f"{before}{secret}", f"{before}***")
        return text
