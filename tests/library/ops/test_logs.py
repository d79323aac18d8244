import errno
import json
import logging
import sys
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from apps.ops.logs import Calm, JSONFormatter, configure


def record(message: str, *args: Any, **extra: Any) -> logging.LogRecord:
    logger = logging.getLogger("harbour")
    return logger.makeRecord(
        "harbour", logging.INFO, __file__, 1, message, args, None, extra=extra
    )


def test_a_line_for_machines_is_json() -> None:
    line = json.loads(JSONFormatter().format(record("%s ships", 7)))

    assert line.pop("time").endswith("Z")
    assert line == {"level": "INFO", "logger": "harbour", "message": "7 ships"}


def test_extras_are_plain_values_or_left_out() -> None:
    extras = {"berth": 4, "port": "Oslo", "is_full": True, "ship": object()}

    line = json.loads(JSONFormatter().format(record("moored", **extras)))

    assert line["berth"] == 4
    assert line["port"] == "Oslo"
    assert line["is_full"] is True
    assert "ship" not in line


@pytest.mark.parametrize("text", ["a\nb", "a\r\x1b[2K", "\u2028", "\udc80", "\x85"])
def test_hostile_text_stays_on_its_line(text: str) -> None:
    line = JSONFormatter().format(record("%s", text))

    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    line.encode()


def test_a_traceback_has_no_data_of_the_database() -> None:
    failed, text = record("failed"), "hello"
    try:
        raise ValueError(f"wrong row\nDETAIL:  Failing row contains (1, {text}).\n")
    except ValueError:
        failed.exc_info = sys.exc_info()

    line = JSONFormatter().format(failed)

    assert "wrong row" in json.loads(line)["exception"]
    assert "hello" not in line


def test_what_any_visitor_can_cause_is_no_error() -> None:
    host = record("Invalid HTTP_HOST header")
    host.name, host.levelno = "django.security.DisallowedHost", logging.ERROR

    assert Calm().filter(host)
    assert (host.levelno, host.exc_info) == (logging.WARNING, None)


@pytest.mark.parametrize(
    ("name", "error", "is_bug"),
    [
        ("django.request", OSError(errno.EMFILE, "Too many open files"), False),
        ("django_ox", OperationalError("gone"), False),
        ("django_ox", LookupError("gone"), True),
        ("django.request", OperationalError("gone"), True),
        ("django.request", OSError(errno.ENOENT, "No such file"), True),
    ],
)
def test_only_a_bug_has_a_traceback(name: str, error: Exception, is_bug: bool) -> None:
    failed = record("%s failed", "it")
    failed.name, failed.exc_info = name, (type(error), error, None)

    assert Calm().filter(failed)
    line = json.loads(JSONFormatter().format(failed))

    assert ("exception" in line) == is_bug
    assert line["message"] == ("it failed" if is_bug else f"it failed ({error!r})")


def test_levels_go_by_the_name_of_the_logger(settings: Settings) -> None:
    settings.LOG_LEVELS = {"harbour": "warning"}

    configure({"version": 1, "incremental": True})

    assert logging.getLogger("harbour").level == logging.WARNING
    logging.getLogger("harbour").setLevel(logging.NOTSET)
