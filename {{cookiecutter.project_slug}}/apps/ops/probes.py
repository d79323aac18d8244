"""Answers what monitoring asks a process: /health/live, /health/ready and /metrics."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import sync_and_async_middleware
from redis.asyncio import Redis

from apps.ops.metrics import show_metrics
from channels_live import check_channel_layer, in_thread, is_ending

logger = logging.getLogger(__name__)

# The longest that a probe waits, in seconds.
TIMEOUT = 2


@sync_and_async_middleware
def answer_probes(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Answer probes. First in MIDDLEWARE.

    Probes come from inside, often without https or a Host that this site answers to.
    They leave no trace in the log.
    """
    readiness = Readiness()

    async def answer(request: HttpRequest) -> Any:
        match request.path_info if request.method in {"GET", "HEAD"} else "":
            case "/health/live":
                response: HttpResponse = JsonResponse({"status": "pass"})
            case "/health/ready":
                response = report(await readiness.check())
            case "/metrics" if settings.METRICS_TOKEN:
                response = await show_metrics(request)
            case _:
                return await get_response(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    return answer if iscoroutinefunction(get_response) else get_response


def report(failing: dict[str, str]) -> HttpResponse:
    """Return what passes. Why something does not is for the log alone."""
    checks = {name: "fail" if why else "pass" for name, why in failing.items()}
    is_well = "fail" not in checks.values()
    body = {"status": "pass" if is_well else "fail", "checks": checks}
    return JsonResponse(body, status=200 if is_well else 503)


class Readiness:
    """What passes of CHECKS.

    A check that is still under way is not begun a second time: a service that hangs
    holds one thread, however many probes come.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[str]] = {}
        self._failing: dict[str, str] = {}

    async def check(self) -> dict[str, str]:
        """Return why each check fails, or "" where it passes, within TIMEOUT."""
        if is_ending():
            return {"process": "it has begun to shut down"}
        for name, check in CHECKS.items():
            if name not in self._running or self._running[name].done():
                self._running[name] = asyncio.create_task(attempt(check))
        running = dict(self._running)
        await asyncio.wait(running.values(), timeout=TIMEOUT)
        late = f"no answer within {TIMEOUT} s"
        reasons = {
            name: task.result() if task.done() else late
            for name, task in running.items()
        }
        self._log({name: why for name, why in reasons.items() if why})
        return reasons

    def _log(self, failing: dict[str, str]) -> None:
        """Log what fails, once and not for every probe."""
        if failing and failing.keys() != self._failing.keys():
            reasons = ", ".join(f"{name} ({why})" for name, why in failing.items())
            logger.warning("Not ready: %s", reasons)
        elif self._failing and not failing:
            logger.info("Ready again.")
        self._failing = failing


async def attempt(check: Callable[[], Awaitable[None]]) -> str:
    """Return why a check fails; nothing where it passes."""
    try:
        await check()
    except Exception as error:  # each service has its own
        return f"{type(error).__name__}: {error}".strip(": \n")
    return ""


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@cache  # neither the code of a process nor what was applied once goes back
def check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError(f"{len(plan)} to apply")


async def check_redis() -> None:
    for url in settings.REDIS_URLS:
        async with Redis.from_url(
            url, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT, retry=None
        ) as redis:
            await redis.ping()


CHECKS: dict[str, Callable[[], Awaitable[None]]] = {
    "database": in_thread(check_database),
    "migrations": in_thread(check_migrations),
    "channel_layer": check_channel_layer,
    **({"redis": check_redis} if settings.REDIS_URLS else {}),
}
