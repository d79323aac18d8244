"""Answers what monitoring asks a process: /health/live, /health/ready and /metrics."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
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
    checks = find_checks()

    async def answer(request: HttpRequest) -> Any:
        match request.path_info if request.method in {"GET", "HEAD"} else "":
            case "/health/live":
                response: HttpResponse = JsonResponse({"status": "pass"})
            case "/health/ready":
                response = await report(checks)
            case "/metrics" if settings.METRICS_TOKEN:
                response = await show_metrics(request)
            case _:
                return await get_response(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    return answer if iscoroutinefunction(get_response) else get_response


class Check:
    """Something that this process needs, and that raises an error where it is missing.

    What is still being asked is not asked a second time: a service that hangs holds
    one thread, however many probes come.
    """

    is_well = True
    task: asyncio.Task[None] | None = None

    def __init__(self, name: str, ask: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.name = name
        self.ask = ask

    async def passes(self) -> bool:
        """Return whether it is there, within TIMEOUT. Why it is not is logged, once."""
        task = self.task = self.task or asyncio.create_task(self.ask())
        done, _ = await asyncio.wait([task], timeout=TIMEOUT)
        if done and self.task is task:
            self.task = None
        error = task.exception() if done else f"no answer within {TIMEOUT} s"
        if error and self.is_well:
            logger.warning("Not ready: %s (%r)", self.name, error)
        elif not error and not self.is_well:
            logger.info("Ready again: %s", self.name)
        self.is_well = not error
        return self.is_well


async def report(checks: list[Check]) -> HttpResponse:
    """Return what passes. Why something does not is for the log alone."""
    if is_ending():
        passed = {"process": False}
    else:
        answers = await asyncio.gather(*(check.passes() for check in checks))
        names = [check.name for check in checks]
        passed = dict(zip(names, answers, strict=True))
    words = {True: "pass", False: "fail"}
    is_well = all(passed.values())
    body = {
        "status": words[is_well],
        "checks": {name: words[passes] for name, passes in passed.items()},
    }
    return JsonResponse(body, status=200 if is_well else 503)


def find_checks() -> list[Check]:
    """Return what this process needs."""
    checks = [
        Check("database", in_thread(check_database)),
        # Neither the code of a process nor what was applied once goes back.
        Check("migrations", in_thread(cache(check_migrations))),
        Check("channel_layer", check_channel_layer),
    ]
    return [*checks, Check("redis", check_redis)] if settings.REDIS_URLS else checks


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


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
