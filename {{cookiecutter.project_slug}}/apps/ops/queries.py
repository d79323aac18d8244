"""Times the queries of all database connections, for Prometheus."""

from collections.abc import Callable
from time import perf_counter

from django.db.backends.base.base import BaseDatabaseWrapper
from prometheus_client import Counter, Histogram

query_seconds = Histogram(
    "django_query_seconds",
    "Until a query was answered, from threads and pages alike.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
query_errors = Counter("django_query_errors", "Queries that failed.", ["error"])


def watch_connection(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Time the queries of a connection. It may be opened more than once."""
    if measure_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(measure_query)


def measure_query(execute: Callable[..., object], *query: object) -> object:
    began = perf_counter()
    try:
        return execute(*query)
    except Exception as error:
        query_errors.labels(type(error).__name__).inc()
        raise
    finally:
        query_seconds.observe(perf_counter() - began)
