"""Answers what monitoring asks a process: /health/live and /health/ready."""

import asyncio
import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import async_only_middleware

from channels_live import check_channel_layer, in_thread, is_ending

logger = logging.getLogger(__name__)

VARIABLES = {"database": "DATABASE_URL: ", "channel_layer": "REDIS_URL: "}
# The longest that a probe waits, in seconds.
TIMEOUT = 2


@async_only_middleware
def answer_probes(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Answer probes. First in MIDDLEWARE.

    Probes come from inside, often without HTTPS or an allowed Host. They are not logged.
    Probes at the same time share one look.
    """
    checks = {
        "database": in_thread(check_database),
        # Once they are applied, they remain so while the process runs.
        "migrations": in_thread(cache(check_migrations)),
        "channel_layer": check_channel_layer,
    }
    failing: set[str] = set()  # when they were asked last
    look: asyncio.Task[dict[str, str]] | None = None

    async def answer(request: HttpRequest) -> Any:
        nonlocal look
        match request.path_info if request.method in {"GET", "HEAD"} else "":
            case "/health/live":
                response: HttpResponse = JsonResponse({"status": "pass"})
            case "/health/ready":
                if look is None or look.done():
                    look = asyncio.create_task(ask(checks, failing))
                response = report(await asyncio.shield(look))
            case _:
                return await get_response(request)
        response.headers["Cache-Control"] = "no-store"
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    return answer


async def ask(checks: dict[str, Any], failing: set[str]) -> dict[str, str]:
    """Return whether each check passes. Log once why a check fails."""
    asked = (asyncio.wait_for(check(), TIMEOUT) for check in checks.values())
    errors = await asyncio.gather(*asked, return_exceptions=True)
    failed = {n: error for n, error in zip(checks, errors, strict=True) if error}
    for name in failed.keys() - failing:
        variable = VARIABLES.get(name, "")
        reason = failed[name]
        if isinstance(reason, TimeoutError) and name != "channel_layer":
            reason = database_refusal() or reason
        logger.warning("Not ready: %s (%s%r)", name, variable, reason)
    failing.clear()
    failing.update(failed)
    return {name: "fail" if name in failed else "pass" for name in checks}


def report(checks: dict[str, str]) -> HttpResponse:
    if is_ending():
        checks = {"process": "fail"}
    status = "fail" if "fail" in checks.values() else "pass"
    body = {"status": status, "checks": checks}
    return JsonResponse(body, status=200 if status == "pass" else 503)


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def database_refusal() -> object:
    """Return why there is no connection, which the checks would wait for."""
    if connection.vendor != "postgresql":
        return None
    from config.postgresql import LimitedConnection

    return LimitedConnection.refusal


def check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise LookupError(f"{len(plan)} to apply")
