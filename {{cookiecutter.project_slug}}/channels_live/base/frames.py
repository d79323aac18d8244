"""What a browser may send."""

import json
import time
from typing import Any

from django.utils.translation import gettext as _

# For how long frames are counted, in seconds.
WINDOW = 5


class InvalidFrame(Exception):
    """Raised for a frame that cannot be used; its text is for the sender to read."""


class FrameBudget:
    """Counts the frames of one socket."""

    __slots__ = ("count", "limit", "started")

    def __init__(self, per_second: int) -> None:
        self.limit = per_second * WINDOW
        self.count = 0
        self.started = time.monotonic()

    def spend(self) -> bool:
        """Count a frame. Returns whether it is within the limit."""
        now = time.monotonic()
        if now - self.started > WINDOW:
            self.started = now
            self.count = 0
        self.count += 1
        return self.count <= self.limit


def decode(text: str | None) -> dict[str, Any]:
    """Return the JSON object in a frame. Raises InvalidFrame."""
    if text is None:
        raise InvalidFrame(_("Expected text, got binary data."))
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidFrame(_("Expected JSON, got something else.")) from None
    if not isinstance(content, dict):
        raise InvalidFrame(_('Expected a JSON object such as {"message": "…"}.'))
    return content
