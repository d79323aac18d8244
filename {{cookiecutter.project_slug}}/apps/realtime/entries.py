"""How many sockets anyone may open, however soon they close them again.

Each costs queries, and where the page has missed much, the rendering of it. Browsers
that are refused come back by themselves.
"""

import logging
import time
from collections import Counter

logger = logging.getLogger(__name__)

# For how long openings are counted, in seconds.
WINDOW = 10
# As many visitors as this may share an address.
VISITORS = 10


class EntryBudget:
    """Counts the openings of a process, by whoever they are."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        # By hash: a cookie is as long as a stranger likes, and a secret.
        self.counts: Counter[int] = Counter()

    def spend(self, kind: str, value: object, per_second: int) -> bool:
        """Count an opening. Returns whether it is within the limit."""
        now = time.monotonic()
        if now - self.started > WINDOW:
            self.started = now
            self.counts.clear()
        limit = per_second * WINDOW
        who = hash((kind, value))
        self.counts[who] += 1
        count = self.counts[who]
        if count == limit + 1 and kind != "session":  # a key is a secret
            logger.warning("Sockets are refused: %s %s opens too many.", kind, value)
        return count <= limit
