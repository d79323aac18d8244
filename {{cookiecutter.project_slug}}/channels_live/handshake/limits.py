"""How many sockets anyone may open, however soon they close them again.

Each costs queries, and where the page has missed much, the rendering of it. Browsers
that are refused come back by themselves.
"""

import logging
import time
from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network

from channels_live.base.asgi import Scope

logger = logging.getLogger(__name__)

# For how long openings are counted, in seconds.
WINDOW = 10


class OpeningBudget:
    """Counts the openings of a process, by whoever they are."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        # By hash: a cookie is as long as a stranger likes, and a secret.
        self._counts: Counter[int] = Counter()

    def spend(self, kind: str, value: object, per_second: int) -> bool:
        """Count an opening. Returns whether it is within the limit."""
        now = time.monotonic()
        if now - self._started > WINDOW:
            self._started = now
            self._counts.clear()
        limit = per_second * WINDOW
        who = hash((kind, value))
        self._counts[who] += 1
        count = self._counts[who]
        if count == limit + 1 and kind != "session":  # a key is a secret
            logger.warning("Sockets are refused: %s %s opens too many.", kind, value)
        return count <= limit


def network_of(scope: Scope) -> str:
    """Return what to count someone unknown by: an address, or its IPv6 network."""
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
