"""The numbers of this process, for a Prometheus that has METRICS_TOKEN.

Prometheus asks each process by its address, as probes do. Where several share a port,
each answers at an address of its own besides.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http.server import HTTPServer
from threading import Thread
from typing import override

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created
from django.http import HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    REGISTRY,
    MetricsHandler,
    disable_created_metrics,
    generate_latest,
)

from apps.ops.queries import watch_connection


class Metrics:
    """Times queries from now on, and listens at METRICS_ADDRESS if that is set."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        connection_created.connect(watch_connection, dispatch_uid="metrics")
        if settings.METRICS_ADDRESS:
            start_server(settings.METRICS_ADDRESS)
        # Of its own: the others may all be waiting for a database that is away.
        self.thread = ThreadPoolExecutor(1, "metrics")

    async def answer(self, authorization: str) -> HttpResponse:
        """Return the metrics, or 401 without the header `Bearer METRICS_TOKEN`."""
        if not is_authorized(authorization):
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
        loop = asyncio.get_running_loop()
        text = await loop.run_in_executor(self.thread, generate_latest, REGISTRY)
        return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def is_authorized(authorization: str) -> bool:
    return constant_time_compare(authorization, f"Bearer {settings.METRICS_TOKEN}")


class TokenHandler(MetricsHandler):
    """The same at METRICS_ADDRESS, where there is nothing else."""

    timeout = 5  # seconds that a request may take to come
    server_version = sys_version = ""

    @override
    def do_GET(self) -> None:
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
        server = HTTPServer((host, int(port)), TokenHandler)
    except OSError as error:
        raise ImproperlyConfigured(
            f"METRICS_ADDRESS: nothing can listen at {address!r} ({error}). Expected a "
            "free host:port, another one for each process."
        ) from error
    Thread(target=server.serve_forever, name="metrics server", daemon=True).start()
    return server
