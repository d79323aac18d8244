"""How often something may be done."""

import time
from collections import Counter
from collections.abc import Hashable


class Budget:
    """Counts within windows of some seconds, by whoever does it."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._started = time.monotonic()
        # By hash: a cookie is as long as a stranger likes, and a secret.
        self._counts: Counter[int] = Counter()

    def excess(self, key: Hashable, per_second: int) -> int:
        """Count one. Returns by how many the limit is exceeded."""
        now = time.monotonic()
        if now - self._started > self._window:
            self._started = now
            self._counts.clear()
        who = hash(key)
        self._counts[who] += 1
        return self._counts[who] - per_second * self._window
