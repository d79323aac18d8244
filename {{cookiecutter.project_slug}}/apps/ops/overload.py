"""Answers 503 while PostgreSQL keeps requests waiting, and logs what is under way."""

import logging
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.db import Error, close_old_connections
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import sync_and_async_middleware
from django.views import defaults

logger = logging.getLogger(__name__)

# When clients may come back, and from one line in the log to the next, in seconds.
RETRY_AFTER = 3
SILENCE = 10
# lock_not_available, query_canceled, too_many_connections and the server's ends; none
# has a connection that was lost, or not to be had from the pool.
CODES = {"55P03", "57014", "53300", "57P01", "57P02", "57P03", None}

_underway: set[HttpRequest] = set()
_logged_at = float("-inf")


@sync_and_async_middleware
def watch_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Have streams begin without a connection: Django keeps it until they end."""

    async def answer(request: HttpRequest) -> Any:
        _underway.add(request)
        try:
            response = await get_response(request)
        finally:
            _underway.remove(request)
        if getattr(response, "is_async", False):
            await sync_to_async(close_old_connections)()
            response.streaming_content = watch(request, response.streaming_content)
        return response

    return answer if iscoroutinefunction(get_response) else get_response


async def watch(
    request: HttpRequest, content: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    _underway.add(request)
    try:
        async for chunk in content:
            yield chunk
    finally:
        _underway.remove(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 where PostgreSQL has kept the request waiting, and else 500."""
    error = sys.exc_info()[1]
    code = getattr(error.__cause__, "sqlstate", "") if isinstance(error, Error) else ""
    if code not in CODES:
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
    matches = [request.resolver_match for request in tuple(_underway)]
    routes = Counter(f"/{match.route}" for match in matches if match)
    logger.error(
        "PostgreSQL keeps requests waiting (%s); they are answered with 503. Under way: %s",
        str(error).strip(),
        ", ".join(f"{route} ({count})" for route, count in routes.most_common(5)),
    )
