"""The numbers of this process, for Prometheus. Each is in the module that counts it."""

from django.conf import settings
from prometheus_client import disable_created_metrics, start_http_server


def start_metrics() -> None:
    """Listen at METRICS_ADDRESS, if that is set."""
    if settings.METRICS_ADDRESS:
        host, _, port = settings.METRICS_ADDRESS.rpartition(":")
        disable_created_metrics()  # type: ignore[no-untyped-call]
        start_http_server(int(port), host)
