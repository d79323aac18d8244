"""Answers 503 while PostgreSQL keeps requests waiting, and logs what is under way."""

import logging
import sys
import time
from collections import Counter

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from apps.ops.access_log import underway

logger = logging.getLogger(__name__)

# When clients may come back, and from one line in the log to the next, in seconds.
RETRY_AFTER = 3
SILENCE = 10

_logged_at = float("-inf")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 where PostgreSQL has kept the request waiting, and else 500."""
    error = sys.exc_info()[1]
    is_operational = isinstance(error, OperationalError | InterfaceError)
    state = str(getattr(getattr(error, "__cause__", None), "sqlstate", ""))
    is_too_large = state.startswith("54")  # as for an index, and not only now
    if not is_operational or is_too_large or connection.vendor != "postgresql":
        return defaults.server_error(request)
    log(error)
    response = render(None, "503.html", status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def log(error: BaseException | None) -> None:
    global _logged_at
    if time.monotonic() - _logged_at < SILENCE:
        return
    _logged_at = time.monotonic()
    routes = Counter(context.route for context in tuple(underway))
    logger.error(
        "PostgreSQL keeps requests waiting (%s); they are answered with 503. Under way: %s",
        str(error).strip(),
        ", ".join(f"{route} ({count})" for route, count in routes.most_common(5)),
    )
