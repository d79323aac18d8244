"""Checks whether this process can serve: its database, its channel layer, Redis."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import cache

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis.asyncio import Redis

from channels_live import check_channel_layer, in_thread, is_ending

logger = logging.getLogger(__name__)

# The longest that a probe waits, in seconds.
TIMEOUT = 2


class Readiness:
    """What a process needs to serve.

    A check that is still under way is not begun a second time: a service that hangs
    holds one thread, however many probes come.
    """

    def __init__(self) -> None:
        self.checks: dict[str, Callable[[], Awaitable[None]]] = {
            "database": in_thread(check_database),
            # Neither the code of a process nor what was applied once goes back.
            "migrations": in_thread(cache(check_migrations)),
            "channel_layer": check_channel_layer,
        }
        if settings.REDIS_URLS:
            self.checks["redis"] = check_redis
        self._running: dict[str, asyncio.Task[str]] = {}
        self._failing: dict[str, str] = {}

    async def check(self) -> dict[str, bool]:
        """Return what passes and what does not, within TIMEOUT."""
        if is_ending():
            return {"process": False}
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
                reasons = ", ".join(f"{name} ({why})" for name, why in failing.items())
                logger.warning("Not ready: %s", reasons)
            else:
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
