"""Logs each HTTP request that Django answers, and counts it for Prometheus."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from asgiref.sync import iscoroutinefunction
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.decorators import sync_and_async_middleware
from prometheus_client import Counter, Histogram

from channels_live import LogContext

logger = logging.getLogger("access.http")

MAX_PATH = 1000
# As nginx has it: whoever asked has not waited.
GONE = 499
# Others may be anything: whoever asks makes them up.
METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

requests = Counter(
    "django_requests",
    "Requests that were answered, by the name of the view: none for static files "
    "and unknown addresses.",
    ["method", "view", "status"],
)
request_seconds = Histogram(
    "django_request_seconds", "Until a request had its response.", ["view"]
)


class RequestContext(LogContext):
    """What the log lines of a request share. Its end is logged and counted."""

    status = 500

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(
            path=request.path,
            client=request.META.get("REMOTE_ADDR", ""),
            request_id=request.headers.get("X-Request-ID", ""),
        )
        self.request = request

    @property
    def session(self) -> SessionBase | None:
        return getattr(self.request, "session", None)

    @property
    def route(self) -> str:
        match = self.request.resolver_match
        return f"/{match.route}" if match else ""

    def fields(self) -> dict[str, str | None]:
        return {"method": self.request.method, **super().fields()}

    @property
    def arguments(self) -> dict[str, Any]:
        match = self.request.resolver_match or find_route(self.request.path_info)
        return match.kwargs if match else {}

    def __enter__(self) -> Self:
        self.token = self.current.set(self)
        self.start = time.perf_counter()
        return self

    def __exit__(self, error: type[BaseException] | None, *details: object) -> None:
        seconds = time.perf_counter() - self.start
        if error is asyncio.CancelledError:
            self.status = GONE
        logger.log(
            logging.WARNING if self.status >= 500 else logging.INFO,
            "%s %s %s",
            self.request.method,
            self.request.path[:MAX_PATH],
            self.status,
            extra={"status": self.status, "duration": round(seconds, 4)},
        )
        self.current.reset(self.token)
        count(self.request, self.status, seconds)


def find_route(path: str) -> ResolverMatch | None:
    """Return where a path leads that a redirect answered: to https, or to the last slash."""
    for candidate in (path, f"{path}/"):
        with suppress(Resolver404):
            return resolve(candidate)
    return None


def count(request: HttpRequest, status: int, seconds: float) -> None:
    """Add a response to the metrics."""
    view = request.resolver_match.view_name if request.resolver_match else "none"
    method = request.method if request.method in METHODS else "other"
    requests.labels(method, view, status).inc()
    request_seconds.labels(view).observe(seconds)


@sync_and_async_middleware
def log_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Log and count each response. First in MIDDLEWARE, so that it sees them all."""

    async def answer_async(request: HttpRequest) -> HttpResponseBase:
        with RequestContext(request) as context:
            response: HttpResponseBase = await get_response(request)
            context.status = response.status_code
        return response

    def answer(request: HttpRequest) -> HttpResponseBase:
        with RequestContext(request) as context:
            response: HttpResponseBase = get_response(request)
            context.status = response.status_code
        return response

    return answer_async if iscoroutinefunction(get_response) else answer
