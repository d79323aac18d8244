"""Says once that a service is away, and once that it is back.

An outage is what the service's own connection and time-out errors say. All else is a
bug, and is raised as one.
"""

import logging
import sqlite3
import time

from channels.exceptions import ChannelFull
from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError

from channels_live.observe import metrics

logger = logging.getLogger(__name__)

# What Django raises while the database is away, and at times for a bug.
DATABASE_ERRORS = (OperationalError, InterfaceError)
# What channel layers raise while they, or what is behind them, are away.
LAYER_ERRORS = (RedisError, OSError, TimeoutError, ChannelFull)
# The longest anyone waits for a service that should answer at once, in seconds.
TIMEOUT = 1
# What failed is left alone for as long, in seconds.
RETRY_AFTER = 1
# What failed and was not tried again since is forgotten after as long, in seconds.
FORGET_AFTER = 10


class Outage:
    """A service, and the parts of it that failed: of several shards, one may."""

    def __init__(self, service: str, name: str, consequence: str) -> None:
        self.service = service
        self.consequence = consequence
        self._gauge = metrics.outage.labels(name)
        self._failed_at: dict[str, float] = {}

    @property
    def parts(self) -> list[str]:
        """What failed and has not been seen to work since."""
        return list(self._failed_at)

    def is_fresh(self, part: str = "") -> bool:
        """Whether the part failed within the last second."""
        failed_at = self._failed_at.get(part)
        return failed_at is not None and time.monotonic() - failed_at < RETRY_AFTER

    def begin(self, error: BaseException, part: str = "") -> None:
        """Note that something failed. Raises the error again where it is a bug."""
        if is_bug(error):
            raise error
        if not self._failed_at:
            self._gauge.set(1)
            logger.error(
                "%s does not answer (%s: %s). %s",
                self.service,
                type(error).__name__,
                str(error).strip(),
                self.consequence,
            )
        self._failed_at[part] = time.monotonic()

    def forget(self) -> None:
        """Take everything to be back, without saying so."""
        self._failed_at.clear()
        self._gauge.set(0)

    def end(self, part: str = "") -> None:
        if not self._failed_at:
            return
        self._failed_at.pop(part, None)
        since = time.monotonic() - FORGET_AFTER
        self._failed_at = {p: at for p, at in self._failed_at.items() if at > since}
        if not self._failed_at:
            self._gauge.set(0)
            logger.info("%s is back.", self.service)


def is_bug(error: BaseException) -> bool:
    """Whether SQLite takes a wrong statement, or a missing table, for an outage."""
    cause = error.__cause__
    return (
        isinstance(cause, sqlite3.OperationalError)
        and getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    )


database_outage = Outage(
    "The database",
    "database",
    "Sockets stay open, and what is sent meanwhile stays pending.",
)
layer_outage = Outage(
    "The channel layer",
    "channel_layer",
    "What is published is delivered from the database instead.",
)
