"""Answers probes: /health/live says that this process runs, /health/ready that it serves.

A probe comes from inside, often without a Host that this site answers to and without
https. So it is answered before Django looks at it, and leaves no trace in the log.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from apps.ops.probes import answer, find_path
from channels_live import check_channel_layer, in_thread, is_ending

logger = logging.getLogger(__name__)

# The longest that a probe waits, in seconds.
TIMEOUT = 2


class HealthMiddleware:
    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.readiness = Readiness()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        match find_path(scope):
            case "/health/live":
                await report(send, {})
            case "/health/ready" if is_ending():
                await report(send, {"process": False})
            case "/health/ready":
                await report(send, await self.readiness.check())
            case _:
                await self.inner(scope, receive, send)


class Readiness:
    """What a process needs to serve.

    A check that is still under way is not begun a second time: a service that hangs
    holds one thread, however many probes come.
    """

    def __init__(self) -> None:
        self.checks: dict[str, Callable[[], Awaitable[None]]] = {
            "database": check_database,
            "migrations": self.check_migrations,
            "channel_layer": check_channel_layer,
        }
        if settings.REDIS_URLS:
            self.checks["redis"] = self.check_redis
        self._redis = [connect(url) for url in settings.REDIS_URLS]
        self._are_migrated = False
        self._running: dict[str, asyncio.Task[str]] = {}
        self._failing: dict[str, str] = {}

    async def check(self) -> dict[str, bool]:
        """Return what passes and what does not, within TIMEOUT."""
        for name, check in self.checks.items():
            if name not in self._running or self._running[name].done():
                self._running[name] = asyncio.create_task(attempt(check))
        running = dict(self._running)
        await asyncio.wait(running.values(), timeout=TIMEOUT)
        reasons = {
            name: task.result() if task.done() else f"no answer within {TIMEOUT} s"
            for name, task in running.items()
        }
        self._tell({name: reason for name, reason in reasons.items() if reason})
        return {name: not reason for name, reason in reasons.items()}

    def _tell(self, failing: dict[str, str]) -> None:
        """Log what fails, once and not for every probe."""
        if failing.keys() != self._failing.keys():
            if failing:
                reasons = [f"{name} ({reason})" for name, reason in failing.items()]
                logger.warning("Not ready: %s", ", ".join(reasons))
            else:
                logger.info("Ready again.")
        self._failing = failing

    async def check_migrations(self) -> None:
        # Neither the code of a process nor what was applied once goes back.
        if not self._are_migrated:
            await check_migrations()
            self._are_migrated = True

    async def check_redis(self) -> None:
        async with asyncio.timeout(TIMEOUT):
            await asyncio.gather(*(redis.ping() for redis in self._redis))


def connect(url: str) -> Redis:
    """Return a client that connects anew, once and at once, where a connection died."""
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 1),
        socket_connect_timeout=TIMEOUT / 2,
        socket_timeout=TIMEOUT / 2,
    )


@in_thread
def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@in_thread
def check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError(f"{len(plan)} to apply")


async def attempt(check: Callable[[], Awaitable[None]]) -> str:
    """Return why a check fails; nothing where it passes."""
    try:
        await check()
    except Exception as error:  # each service has its own
        return f"{type(error).__name__}: {error}".strip(": \n")
    return ""


async def report(send: Any, passed: dict[str, bool]) -> None:
    """Send what passes. Why something does not is for the log alone."""
    words = {True: "pass", False: "fail"}
    is_well = all(passed.values())
    body: dict[str, Any] = {"status": words[is_well]}
    if passed:
        body["checks"] = {name: words[passes] for name, passes in passed.items()}
    headers = {"content-type": "application/json"}
    await answer(send, 200 if is_well else 503, headers, json.dumps(body).encode())
