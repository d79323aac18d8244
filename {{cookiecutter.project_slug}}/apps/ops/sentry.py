"""Sends what is logged as an error to Sentry, and what the line of it says besides.

Its integrations, for Django and others, would send requests, headers and statements.
"""

import logging

import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import EventHandler
from sentry_sdk.types import Event, Hint

from apps.ops.logs import clean
from channels_live import LogContext


class Handler(EventHandler):
    """Part of the log, so that what flushes the log sends what is still to be sent."""

    def flush(self) -> None:
        sentry_sdk.flush()


def report_errors(dsn: str) -> Handler:
    sentry_sdk.init(
        dsn,
        before_send=prepare,
        default_integrations=False,
        include_local_variables=False,
        integrations=[DedupeIntegration(), ExcepthookIntegration()],
    )
    handler = Handler(logging.ERROR)
    logging.getLogger().addHandler(handler)
    return handler


def prepare(event: Event, hint: Hint) -> Event:
    """Return an event with nothing in it that is not in the log."""
    event.pop("extra", None)
    if record := hint.get("log_record"):
        event["logentry"] = {"formatted": clean(record.getMessage())}
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = clean(exception.get("value") or "")
    if context := LogContext.current.get():
        fields = context.fields()
        event["user"] = {"id": fields["user"]}
        event["transaction"] = context.route
        event["request"] = {"url": fields["path"], "method": fields.get("method")}
        event["tags"] = {"request_id": context.request_id}
    return event
