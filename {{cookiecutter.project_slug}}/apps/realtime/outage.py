"""Says once that a service is away, and once that it is back."""

import logging
import time

from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

# What Django raises while the database is away.
DATABASE_ERRORS = (OperationalError, InterfaceError)
# The longest anyone waits for a service that should answer at once, in seconds.
TIMEOUT = 1
# A service that failed is left alone for as long, in seconds.
RETRY_AFTER = 1


class Outage:
    def __init__(self, service: str, consequence: str) -> None:
        self.service = service
        self.consequence = consequence
        self.failed_at: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the service failed within the last second."""
        return (
            self.failed_at is not None
            and time.monotonic() - self.failed_at < RETRY_AFTER
        )

    def begin(self, error: BaseException) -> None:
        if self.failed_at is None:
            logger.error(
                "%s does not answer (%s: %s). %s",
                self.service,
                type(error).__name__,
                str(error).strip(),
                self.consequence,
            )
        self.failed_at = time.monotonic()

    def end(self) -> None:
        if self.failed_at is not None:
            logger.info("%s is back.", self.service)
            self.failed_at = None


database_outage = Outage(
    "The database", "Sockets stay open, and what is sent meanwhile stays pending."
)
layer_outage = Outage(
    "The channel layer", "What is published is delivered from the database instead."
)
