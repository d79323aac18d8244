"""The numbers of this process, for Prometheus, at METRICS_ADDRESS."""

from collections.abc import Callable

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from prometheus_client import (
    Counter,
    Histogram,
    disable_created_metrics,
    start_http_server,
)

query_seconds = Histogram(
    "django_query_seconds",
    "Until a query was answered, from threads and pages alike.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
query_errors = Counter("django_query_errors", "Queries that failed.", ["error"])


def start_metrics() -> None:
    """Listen at METRICS_ADDRESS, if that is set, and time queries from now on."""
    if settings.METRICS_ADDRESS:
        host, _, port = settings.METRICS_ADDRESS.rpartition(":")
        disable_created_metrics()  # type: ignore[no-untyped-call]
        connection_created.connect(watch_connection)
        start_http_server(int(port), host)


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
