"""The numbers of this process, for a Prometheus that has METRICS_TOKEN.

Prometheus asks each process by its address, as probes do. Where several share a port,
each answers at an address of its own besides.
"""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import override

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    REGISTRY,
    Counter,
    Histogram,
    MetricsHandler,
    disable_created_metrics,
    generate_latest,
)

query_seconds = Histogram(
    "django_query_seconds",
    "Until a query was answered, from threads and pages alike.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
query_errors = Counter("django_query_errors", "Queries that failed.", ["error"])


def start_metrics() -> None:
    """Time queries from now on, and listen at METRICS_ADDRESS if that is set."""
    if settings.METRICS_TOKEN:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        connection_created.connect(watch_connection)
        if settings.METRICS_ADDRESS:
            start_server(settings.METRICS_ADDRESS)


def watch_connection(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Time the queries of a connection. It may be opened more than once."""
    if measure_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(measure_query)


def measure_query(execute: Callable[..., object], *query: object) -> object:
    with query_seconds.time():
        try:
            return execute(*query)
        except Exception as error:
            query_errors.labels(type(error).__name__).inc()
            raise


async def show_metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics, or 401 without the header `Bearer METRICS_TOKEN`."""
    if not has_token(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    text = await sync_to_async(generate_latest)(REGISTRY)
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def has_token(request: HttpRequest | BaseHTTPRequestHandler) -> bool:
    token = f"Bearer {settings.METRICS_TOKEN}"
    return constant_time_compare(request.headers.get("Authorization", ""), token)


class TokenHandler(MetricsHandler):
    """The same at METRICS_ADDRESS."""

    timeout = 5  # seconds that a request may take to come
    server_version = sys_version = ""

    @override
    def do_GET(self) -> None:
        if has_token(self):
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
    Thread(target=server.serve_forever, daemon=True).start()
    return server
