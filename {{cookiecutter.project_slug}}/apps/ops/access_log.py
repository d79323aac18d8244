"""Logs each HTTP request that Django answers, and counts it for Prometheus."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.decorators import async_only_middleware
from django.utils.functional import cached_property
from prometheus_client import Gauge, Histogram

from channels_live import LogContext

logger = logging.getLogger("access.http")

# As nginx has it: whoever asked has not waited.
GONE = 499

request_seconds = Histogram(
    "django_request_seconds",
    "Until a request had its response, by the name of the view: none for static files "
    "and unknown addresses.",
    ["view", "status"],
)
# Requests without a response, and those whose response is a stream that goes on.
underway: set["RequestContext"] = set()
Gauge(
    "django_requests_underway",
    "Requests without a response, and those whose response is a stream that goes on.",
).set_function(lambda: len(underway))


class RequestContext(LogContext):
    """What the log lines of a request share. Its end is logged and counted."""

    status = 500

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, lambda: getattr(request, "session", None))
        self.request = request

    @cached_property
    def match(self) -> ResolverMatch | None:
        """Where the path leads, redirected or not: to https, or to the last slash."""
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

    Streams go on without a database connection: Django keeps it until they end.
    """

    async def answer(request: HttpRequest) -> HttpResponseBase:
        with RequestContext(request) as context:
            response: Any = await get_response(request)
            context.status = response.status_code
        if context.match and getattr(response, "is_async", False):
            await sync_to_async(close_old_connections)()
            response.streaming_content = watch(context, response.streaming_content)
        return response  # type: ignore[no-any-return]

    return answer


async def watch(
    context: RequestContext, content: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    underway.add(context)
    try:
        async for chunk in content:
            yield chunk
    finally:
        underway.remove(context)
