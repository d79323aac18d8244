"""The parts of LOGGING in the settings: one line for each event."""

import errno
import json
import logging.config
import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from channels_live import LogContext

MAX_MESSAGE = 8000
MAX_FIELD = 1000
# What every record has; all else was given as `extra`.
STANDARD = {*vars(logging.makeLogRecord({})), "asctime", "color_message", "message"}
# What django_ox logs while the database is away. It tries again.
OUTAGES = (InterfaceError, OperationalError)
# Lines in which PostgreSQL quotes rows and statements.
QUOTED = re.compile(r"(?m)^(DETAIL|LINE \d+): .*\n?")


def configure(config: dict[str, Any]) -> None:
    """Do what LOGGING, LOG_LEVELS and SENTRY_DSN in the settings say."""
    logging.config.dictConfig(config)
    logging.captureWarnings(True)
    for name, level in settings.LOG_LEVELS.items():
        logging.getLogger(name).setLevel(level.upper())
    if settings.SENTRY_DSN:
        from apps.ops.sentry import report_errors  # loaded only if needed

        report_errors(settings.SENTRY_DSN)


class Calm(logging.Filter):
    """Drops tracebacks of outages; what any visitor can cause becomes a warning."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):  # such as a wrong Host
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = None
        error = record.exc_info and record.exc_info[1]
        is_job = record.name == "django_ox" and isinstance(error, OUTAGES)
        if error and (is_job or lacks_files(error)):
            record.msg, record.args = f"{record.getMessage()} ({error!r})", ()
            record.exc_info = None
        return True


class JSONFormatter(logging.Formatter):
    """Formats a record as JSON, with those extra fields that are plain values."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
        line: dict[str, object] = {
            "time": f"{moment.isoformat(timespec='milliseconds')}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": clean(record.getMessage())[:MAX_MESSAGE],
        }
        if context := LogContext.current.get():
            line |= context.fields()
        for name, value in record.__dict__.items():
            if name not in STANDARD and isinstance(value, str | int | float):
                line[name] = value[:MAX_FIELD] if isinstance(value, str) else value
        if record.exc_info:
            line["exception"] = clean(self.formatException(record.exc_info))
        return json.dumps(line)


def lacks_files(error: BaseException | None) -> bool:
    """Whether it was raised because no more files may be open."""
    return isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}


def clean(text: str) -> str:
    """Return a text without rows that PostgreSQL quotes, and secrets in the path."""
    text = QUOTED.sub("", text)
    context = LogContext.current.get()
    return context.without_secrets(text) if context else text
