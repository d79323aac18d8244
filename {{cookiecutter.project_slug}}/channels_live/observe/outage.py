"""Says once that a service is away, and once that it is back.

An outage is what the service's own connection and time-out errors say. All else is a
bug, and is raised as one.
"""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from channels.exceptions import ChannelFull
from django.db import InterfaceError, OperationalError

from channels_live.observe import metrics

logger = logging.getLogger(__name__)

# The longest anyone waits for a service that should answer at once, in seconds.
TIMEOUT = 1
# Of PostgreSQL: deadlocks, what is too large, lock_not_available and query_canceled.
BUGS = ("40", "54", "55P03", "57014")
# What failed is left alone for as long, in seconds.
RETRY_AFTER = 1
# What failed and was not tried again since is forgotten after as long, in seconds.
FORGET_AFTER = 10


@dataclass(eq=False)
class Outage:
    """A service, and the parts of it that failed: of several shards, one may."""

    name: str
    errors: tuple[type[Exception], ...]  # that are raised while the service is away
    effect: str
    source: str = ""  # the variable that has its address
    count: int = field(default=0, init=False)  # of outages so far
    # The parts that have not been seen to work since, and when they failed last.
    failed: dict[str, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._gauge = metrics.outage.labels(self.name.replace(" ", "_"))

    def is_fresh(self, part: str = "") -> bool:
        """Whether the part failed within the last second."""
        return time.monotonic() - self.failed.get(part, -RETRY_AFTER) < RETRY_AFTER

    @contextmanager
    def noticed(self, part: str = "") -> Iterator[None]:
        """End the block, and raise nothing, where the service is away. Bugs are raised."""
        try:
            yield
        except self.errors as error:
            if is_bug(error):
                raise
            self.begin(error, part)

    def begin(self, error: BaseException, part: str = "") -> None:
        if not self.failed:
            self.count += 1
            self._gauge.set(1)
            said = f"{self.source}{type(error).__name__}: {str(error).strip()}"
            logger.error("The %s cannot be used (%s). %s", self.name, said, self.effect)
        self.failed[part] = time.monotonic()

    def end(self, part: str = "") -> None:
        if self.failed:
            self.failed.pop(part, None)
            since = time.monotonic() - FORGET_AFTER
            self.failed = {part: at for part, at in self.failed.items() if at > since}
            if not self.failed:
                self._gauge.set(0)
                logger.info("The %s is back.", self.name)


def is_bug(error: BaseException) -> bool:
    """Whether it is the statement's own fault, which databases take for an outage.

    On SQLite it is wrong, or of a missing table; on PostgreSQL too much is asked of it.
    """
    cause = error.__cause__
    return (
        isinstance(cause, sqlite3.OperationalError)
        and getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    ) or str(getattr(cause, "sqlstate", None)).startswith(BUGS)


database_outage = Outage(
    "database",
    (OperationalError, InterfaceError),
    "Sockets stay open; pages have to repeat frames that need it.",
)
layer_outage = Outage(
    "channel layer",
    (OSError, TimeoutError, ChannelFull),  # and those of Redis, where it is used
    "Numbered fragments are delivered from the database instead.",
)
