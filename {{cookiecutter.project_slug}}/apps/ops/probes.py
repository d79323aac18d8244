"""Answers what monitoring asks a process: /health/live and /health/ready."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import async_only_middleware

from channels_live import check_channel_layer, in_thread, is_ending

logger = logging.getLogger(__name__)

# The longest that a probe waits, in seconds.
TIMEOUT = 2


@async_only_middleware
def answer_probes(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Answer probes. First in MIDDLEWARE.

    Probes come from inside, often without https or a Host that this site answers to.
    They leave no trace in the log.
    """
    checks = [
        Check("database", in_thread(check_database)),
        # Neither the code of a process nor what was applied once goes back.
        Check("migrations", in_thread(cache(check_migrations))),
        Check("channel_layer", check_channel_layer),
    ]

    async def answer(request: HttpRequest) -> Any:
        match request.path_info if request.method in {"GET", "HEAD"} else "":
            case "/health/live":
                response: HttpResponse = JsonResponse({"status": "pass"})
            case "/health/ready":
                response = await report(checks)
            case _:
                return await get_response(request)
        response.headers["Cache-Control"] = "no-store"
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    return answer


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

    async def look(self) -> None:
        """Wait for it, up to TIMEOUT. Why it is not there is logged once."""
        task = self.task = self.task or asyncio.create_task(self.ask())
        done, _ = await asyncio.wait([task], timeout=TIMEOUT)
        if done and self.task is task:
            self.task = None
        error = task.exception() if done else f"no answer within {TIMEOUT} s"
        if error and self.is_well:
            logger.warning("Not ready: %s (%r)", self.name, error)
        self.is_well = not error


async def report(checks: list[Check]) -> HttpResponse:
    """Return what passes. Why something does not is for the log alone."""
    if is_ending():
        words = {"process": "fail"}
    else:
        await asyncio.gather(*(check.look() for check in checks))
        words = {check.name: "pass" if check.is_well else "fail" for check in checks}
    status = "fail" if "fail" in words.values() else "pass"
    body = {"status": status, "checks": words}
    return JsonResponse(body, status=200 if status == "pass" else 503)


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError(f"{len(plan)} to apply")
