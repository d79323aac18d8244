"""Serves this process's metrics for Prometheus. Each is in the module that counts it."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from prometheus_client import disable_created_metrics, start_http_server


def start_metrics() -> None:
    """Listen at METRICS_ADDRESS, if that is set."""
    if settings.METRICS_ADDRESS:
        host, _, port = settings.METRICS_ADDRESS.rpartition(":")
        disable_created_metrics()  # type: ignore[no-untyped-call]
        try:
            start_http_server(int(port), host)
        except OSError as error:  # such as one that is in use, or of another machine
            raise ImproperlyConfigured(
                f"METRICS_ADDRESS: cannot listen at {settings.METRICS_ADDRESS} ({error})."
            ) from None
