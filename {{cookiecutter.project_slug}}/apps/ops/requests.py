"""Logs and counts HTTP requests, and answers 503 while the site is busy."""

import asyncio
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import cache
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.decorators import async_only_middleware
from django.utils.functional import cached_property
from django.utils.log import log_response
from django.views import defaults
from prometheus_client import Gauge, Histogram

from apps.ops.logs import OUTAGES, lacks_files
from channels_live import LogContext

logger = logging.getLogger("access.http")

GONE = 499  # as in nginx: the client has disconnected
# When clients may try again, and the interval of lines in the log, in seconds.
RETRY_AFTER = 3
SILENCE = 10
# In the reason why a form is refused: what CSRF_TRUSTED_ORIGINS could hold.
ORIGIN = re.compile(r"failed - (https?://[a-z0-9.:[\]-]+)[/?# ]")
ELSEWHERE = (
    "Forbidden (%s): %s. If %s is this site too, as behind a proxy that changes the "
    "header Host or ends TLS, add %s to CSRF_TRUSTED_ORIGINS in .env, and restart."
)
REDIRECTED = (
    "A request that came over HTTPS, as its header X-Forwarded-Proto says, was redirected "
    "to HTTPS. If this is behind a proxy that sets this header, set BEHIND_PROXY=true in "
    ".env, and restart."
)
UNMARKED = (
    "A request without the header X-Forwarded-Proto was redirected to HTTPS. If it came "
    "through the proxy, have the proxy set this header: otherwise it goes on without end."
)
_logged_at = float("-inf")

request_seconds = Histogram(
    "django_request_seconds",
    "Until a request had its response, by the name of the view.",
    ["view", "status"],
)
underway: set["RequestContext"] = set()
Gauge(
    "django_requests_underway",
    "Requests without a response, and those whose response is a stream that goes on.",
).set_function(lambda: len(underway))


class RequestContext(LogContext):
    """The fields of a request's log lines. Logs and counts its end."""

    status = 500

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, lambda: getattr(request, "session", None))
        self.request = request

    @cached_property
    def match(self) -> ResolverMatch | None:
        """The route of the path, or that to which a missing slash is redirected."""
        for path in (self.request.path_info, f"{self.request.path_info}/"):
            with suppress(Resolver404):
                return self.request.resolver_match or resolve(path)
        return None

    def fields(self) -> dict[str, str | None]:
        return {"method": self.request.method, **super().fields()}

    def __enter__(self) -> Self:
        self.token = self.current.set(self)
        self.start = time.perf_counter()
        underway.add(self)
        return self

    def __exit__(self, error: type[BaseException] | None, *details: object) -> None:
        underway.remove(self)
        seconds = time.perf_counter() - self.start
        if error is asyncio.CancelledError:
            self.status = GONE
        logger.log(
            logging.WARNING if self.status >= 500 else logging.INFO,
            "%s %s %s",
            self.request.method,
            self.request.path,
            self.status,
            extra={"status": self.status, "duration": round(seconds, 4)},
        )
        self.current.reset(self.token)
        view = self.match.view_name if self.match else "none"
        request_seconds.labels(view, self.status).observe(seconds)


@async_only_middleware
def log_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Log and count each response, before any other middleware but probes.

    Streams begin without a database connection, which Django would keep until they end.
    """

    async def answer(request: HttpRequest) -> HttpResponseBase:
        with RequestContext(request) as context:
            response: Any = await get_response(request)
            context.status = response.status_code
        if response.status_code == 301 and (why := why_in_circles(request)):
            explain(why)
        if context.match and getattr(response, "is_async", False):
            await sync_to_async(close_old_connections)()
            response.streaming_content = watch(context, response.streaming_content)
        return response  # type: ignore[no-any-return]

    return answer


def why_in_circles(request: HttpRequest) -> str:
    """Return why a redirect to HTTPS may come from HTTPS, or an empty text."""
    if not settings.SECURE_SSL_REDIRECT or request.is_secure():
        return ""
    scheme = request.headers.get("X-Forwarded-Proto", "")
    if scheme.startswith("https"):
        return REDIRECTED
    return UNMARKED if settings.SECURE_PROXY_SSL_HEADER and not scheme else ""


@cache
def explain(why: str) -> None:
    """Log how redirects without end are ended, once: anybody can ask without a proxy."""
    logging.getLogger(__name__).warning(why)


async def watch(
    context: RequestContext, content: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    underway.add(context)
    try:
        async for chunk in content:
            yield chunk
    finally:
        underway.remove(context)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400 without reading the request: Django's own view reads its form again."""
    return render(None, "400.html", status=400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form that comes from elsewhere, or has expired."""
    is_foreign = reason.startswith(("Origin", "Referer"))
    origin = found[1] if (found := ORIGIN.search(reason)) else ""
    context = {"is_foreign": is_foreign, "origin": origin}
    response = render(request, "403_csrf.html", context, status=403)
    if origin:  # Django's own line does not say what to do
        line = (ELSEWHERE, reason, request.path, origin, origin)
        csrf_logger = logging.getLogger("django.security.csrf")
        log_response(*line, response=response, request=request, logger=csrf_logger)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 to a request that may be repeated soon, otherwise 500."""
    error = sys.exc_info()[1]
    if not lacks_files(error) and not is_waiting(error):
        return defaults.server_error(request)
    log_overload(error)
    try:
        response = render(None, "503.html", status=503)
    except OSError:
        response = HttpResponse(status=503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def is_waiting(error: BaseException | None) -> bool:
    """Whether the database has kept the request waiting."""
    if not isinstance(error, OUTAGES):
        return False
    cause = error.__cause__
    if connection.vendor == "sqlite":  # its other errors are bugs
        return str(getattr(cause, "sqlite_errorname", "")).startswith("SQLITE_BUSY")
    # What is too large, as for an index, is so tomorrow too.
    return not str(getattr(cause, "sqlstate", "")).startswith("54")


def log_overload(error: BaseException | None) -> None:
    global _logged_at
    if time.monotonic() - _logged_at < SILENCE:
        return
    _logged_at = time.monotonic()
    routes = Counter(context.route for context in tuple(underway))
    logging.getLogger(__name__).error(
        "Requests are answered with 503 (%s). Under way: %s",
        str(error).strip(),
        ", ".join(f"{route} ({count})" for route, count in routes.most_common(5)),
    )
