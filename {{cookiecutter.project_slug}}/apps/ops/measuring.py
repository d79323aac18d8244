"""What Django does, counted for Prometheus: requests by view, and queries."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from prometheus_client import Counter, Histogram

# Others may be anything: whoever asks makes them up.
METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

requests = Counter(
    "django_requests",
    "Requests that were answered, by the name of the view: none for static files "
    "and unknown addresses.",
    ["method", "view", "status"],
)
request_seconds = Histogram(
    "django_request_seconds", "Until a request had its response.", ["view"]
)
query_seconds = Histogram(
    "django_query_seconds",
    "Until a query was answered, from threads and pages alike.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
query_errors = Counter("django_query_errors", "Queries that failed.", ["error"])


@sync_and_async_middleware
def measure_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    async def answer_async(request: HttpRequest) -> HttpResponseBase:
        began = perf_counter()
        response: HttpResponseBase = await get_response(request)
        count_request(request, response, perf_counter() - began)
        return response

    def answer(request: HttpRequest) -> HttpResponseBase:
        began = perf_counter()
        response: HttpResponseBase = get_response(request)
        count_request(request, response, perf_counter() - began)
        return response

    return answer_async if iscoroutinefunction(get_response) else answer


def count_request(
    request: HttpRequest, response: HttpResponseBase, seconds: float
) -> None:
    match = request.resolver_match
    view = match.view_name if match else "none"
    method = request.method if request.method in METHODS else "other"
    requests.labels(method, view, response.status_code).inc()
    request_seconds.labels(view).observe(seconds)


def measure_query(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
) -> Any:
    began = perf_counter()
    try:
        return execute(sql, params, many, context)
    except Exception as error:
        query_errors.labels(type(error).__name__).inc()
        raise
    finally:
        query_seconds.observe(perf_counter() - began)


def watch_connection(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if measure_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(measure_query)


def measure_queries() -> None:
    """Measure the queries of all connections that are opened from now on."""
    connection_created.connect(watch_connection, dispatch_uid="metrics")
