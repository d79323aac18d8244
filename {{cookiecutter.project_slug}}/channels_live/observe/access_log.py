"""Logs each WebSocket: that it opens or is refused, and that it closes."""

import logging
import time

from channels_live.base.close_code import CloseCode
from channels_live.observe.log_context import MAX_LENGTH

logger = logging.getLogger("access.websocket")

# Servers close with these of their own accord, and no browser can.
OF_SERVERS = {1002, 1003, *range(1007, 1015)}


class AccessLog:
    """The lines of one socket."""

    def __init__(self, path: str) -> None:
        self.path = path[:MAX_LENGTH]
        self.opened_at = 0.0

    def opened(self) -> None:
        self.opened_at = time.monotonic()
        self._log("open", "WebSocket %s opened")

    def refused(self, reason: str) -> None:
        self._log("refuse", f"WebSocket %s refused: {reason}", reason=reason)

    def closed(self, code: int, closed_by: str) -> None:
        seconds = round(time.monotonic() - self.opened_at, 3)
        self._log(
            "close",
            f"WebSocket %s closed with {code} by {closed_by} after {seconds} s",
            code=code,
            closed_by=closed_by,
            duration=seconds,
        )

    def _log(self, event: str, sentence: str, **details: object) -> None:
        logger.info(sentence, self.path, extra={"event": event, **details})


def closer(code: int) -> str:
    """Return who has closed a WebSocket, going by the code that the consumer hears."""
    if code == CloseCode.ABNORMAL_CLOSURE:
        return "nobody"
    return "server" if code in OF_SERVERS else "client"
