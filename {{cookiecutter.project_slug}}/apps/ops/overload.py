"""Answers 503 where PostgreSQL keeps requests waiting, or no more files may be open."""

import logging
import sys
import time
from collections import Counter

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from apps.ops.access_log import underway
from apps.ops.logs import OUTAGES, lacks_files

logger = logging.getLogger(__name__)

# When clients may come back, and from one line in the log to the next, in seconds.
RETRY_AFTER = 3
SILENCE = 10

_logged_at = float("-inf")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 to a request that may be made again soon, and else 500."""
    error = sys.exc_info()[1]
    if not lacks_files(error) and not is_waiting(error):
        return defaults.server_error(request)
    log(error)
    try:
        response = render(None, "503.html", status=503)
    except OSError:
        response = HttpResponse(status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def is_waiting(error: BaseException | None) -> bool:
    """Whether PostgreSQL has kept the request waiting."""
    state = str(getattr(getattr(error, "__cause__", None), "sqlstate", ""))
    is_too_large = state.startswith("54")  # as for an index, and not only now
    is_operational = isinstance(error, OUTAGES) and not is_too_large
    return is_operational and connection.vendor == "postgresql"


def log(error: BaseException | None) -> None:
    global _logged_at
    if time.monotonic() - _logged_at < SILENCE:
        return
    _logged_at = time.monotonic()
    routes = Counter(context.route for context in tuple(underway))
    logger.error(
        "Requests are answered with 503 (%s). Under way: %s",
        str(error).strip(),
        ", ".join(f"{route} ({count})" for route, count in routes.most_common(5)),
    )
