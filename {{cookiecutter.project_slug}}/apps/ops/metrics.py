"""Answers Prometheus at /metrics, if METRICS_TOKEN is set, with this process's numbers.

Prometheus asks each process by its address, as probes do. Where several share a port,
each answers at an address of its own besides.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import HTTPServer
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import constant_time_compare
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    REGISTRY,
    MetricsHandler,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector

from apps.ops.measuring import measure_queries
from apps.ops.probes import answer, find_path


def expose_metrics(inner: Any) -> Any:
    """Return an application with its metrics; without a token, as it is."""
    if not settings.METRICS_TOKEN:
        return inner
    disable_created_metrics()  # type: ignore[no-untyped-call]
    measure_queries()
    if settings.METRICS_ADDRESS:
        start_server(settings.METRICS_ADDRESS)
    return MetricsMiddleware(inner, REGISTRY)


def is_authorized(authorization: str) -> bool:
    return constant_time_compare(authorization, f"Bearer {settings.METRICS_TOKEN}")


class MetricsMiddleware:
    def __init__(self, inner: Any, registry: Collector) -> None:
        self.inner = inner
        self.registry = registry
        # Of its own: the others may all be waiting for a database that is away.
        self.thread = ThreadPoolExecutor(1, "metrics")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if find_path(scope) != "/metrics":
            await self.inner(scope, receive, send)
        elif is_authorized(
            dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        ):
            loop = asyncio.get_running_loop()
            render = partial(generate_latest, self.registry)
            text = await loop.run_in_executor(self.thread, render)
            await answer(send, 200, {"content-type": CONTENT_TYPE_PLAIN_0_0_4}, text)
        else:
            await answer(send, 401, {"www-authenticate": "Bearer"}, b"")


class TokenHandler(MetricsHandler):
    """The same for the address of one process, which has nothing else."""

    timeout = 5  # seconds that a request may take to come
    server_version = sys_version = ""

    def do_GET(self) -> None:  # noqa: N802
        if self.path != "/metrics":
            self.send_error(404)
        elif is_authorized(self.headers.get("Authorization", "")):
            super().do_GET()
        else:
            self.send_error(401)


def start_server(address: str) -> HTTPServer:
    """Answer at host:port, in a thread that ends with the process.

    Raises ImproperlyConfigured where nobody can.
    """
    host, _, port = address.rpartition(":")
    try:
        if not host:
            raise ValueError("no host")  # which would be every one
        server = HTTPServer((host, int(port)), TokenHandler)
    except (OSError, OverflowError, ValueError) as error:
        raise ImproperlyConfigured(
            f"METRICS_ADDRESS: nothing can listen at {address!r} ({error}). Expected "
            "host:port, as in 127.0.0.1:9101, another one for each process."
        ) from error
    Thread(target=server.serve_forever, name="metrics server", daemon=True).start()
    return server
