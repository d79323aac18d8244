"""The codes that sockets are closed with, and what keeps sockets from opening."""

from enum import IntEnum


class CloseCode(IntEnum):
    """Codes of RFC 6455 and its registry, and four codes of this library.

    After POLICY_VIOLATION and codes from 4400, browsers must not reconnect. After all
    others, they should, at growing and jittered intervals.
    """

    NORMAL_CLOSURE = 1000
    NO_STATUS = 1005  # never sent: the browser gave none
    ABNORMAL_CLOSURE = 1006  # never sent: the connection was lost
    POLICY_VIOLATION = 1008  # sent too much
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011  # a consumer has failed
    SERVICE_RESTART = 1012  # to be let in anew
    TRY_AGAIN_LATER = 1013

    NOT_LOGGED_IN = 4401
    NOT_ALLOWED = 4403
    NOT_FOUND = 4404
    OUTDATED = 4409  # the database has lost what the page shows: it reloads itself


class Refused(Exception):
    """Raise this in `enter` or `receive_json` to close the socket with a close code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"close code {code}")
        self.code = code


class Refusal(Exception):
    """Raised to refuse a handshake, with the reason, where there is no socket to close."""
