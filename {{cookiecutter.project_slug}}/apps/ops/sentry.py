"""Sends what is logged as an error to Sentry, and what the line of it says besides.

Sentry's integrations would send requests, headers and statements, and keep traces of
every request. Here an error is an error in the log, of a view as of a consumer.
"""

from typing import Any

import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import EventHandler, ignore_logger
from sentry_sdk.utils import BadDsn

from apps.ops.logs import without_rows, without_secrets
from channels_live import LogContext


class Handler(EventHandler):
    """Part of the log, so that what flushes the log sends what is still to be sent."""

    def flush(self) -> None:
        sentry_sdk.flush()


def report_errors(dsn: str) -> None:
    try:
        sentry_sdk.init(
            dsn,
            before_send=prepare,
            default_integrations=False,
            include_local_variables=False,
            integrations=[
                DedupeIntegration(),
                ExcepthookIntegration(),
            ],
        )
    except BadDsn as error:
        raise ImproperlyConfigured(
            f"SENTRY_DSN: expected https://key@host/project, as Sentry shows it: {error}."
        ) from None
    # What any visitor can cause: config.logs.Calm makes warnings of them.
    ignore_logger("django.security.*")


def prepare(event: Any, hint: Any) -> Any:
    """Return an event with nothing in it that is not in the log."""
    event.pop("extra", None)
    context = LogContext.current.get()
    if entry := event.get("logentry"):
        message = entry["message"]
        if params := entry.get("params"):
            message %= tuple(params)
        event["logentry"] = {"formatted": without_secrets(message)}
    for exception in event.get("exception", {}).get("values", []):
        value = without_rows(exception.get("value") or "")
        exception["value"] = without_secrets(value)
    if context:
        fields = context.fields()
        event["user"] = {"id": fields["user"]}
        event["transaction"] = context.route
        event["request"] = {"url": fields["path"], "method": fields.get("method")}
        event["tags"] = {"request_id": fields["request_id"]}
    return event
