"""Says once that a service is away, and once that it is back."""

import logging
import time

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

# What Django raises while the database is away.
DATABASE_ERRORS = (OperationalError, InterfaceError)
# The longest anyone waits for a service that should answer at once, in seconds.
TIMEOUT = 1
# What failed is left alone for as long, in seconds.
RETRY_AFTER = 1
# What failed and was not tried again since is forgotten after as long, in seconds.
FORGET_AFTER = 10


class Outage:
    """A service, and the parts of it that failed: of several shards, one may."""

    def __init__(self, service: str, consequence: str) -> None:
        self.service = service
        self.consequence = consequence
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
        if not self._failed_at:
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

    def end(self, part: str = "") -> None:
        if not self._failed_at:
            return
        self._failed_at.pop(part, None)
        since = time.monotonic() - FORGET_AFTER
        self._failed_at = {p: at for p, at in self._failed_at.items() if at > since}
        if not self._failed_at:
            logger.info("%s is back.", self.service)


database_outage = Outage(
    "The database", "Sockets stay open, and what is sent meanwhile stays pending."
)
layer_outage = Outage(
    "The channel layer", "What is published is delivered from the database instead."
)
