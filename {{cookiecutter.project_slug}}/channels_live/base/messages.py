"""What processes tell each other through the channel layer."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

# One type for all. Channels' own consumers ignore it: see apps.py.
TYPE = "channels_live"


class InvalidMessage(ValueError):
    """Raised for what this version of the library does not send."""


class Kind(StrEnum):
    FRAGMENTS = "fragments"  # for the sockets of a group
    HISTORY_CHANGED = "history_changed"  # so what is remembered of a group is wrong
    PRESENCE_CHANGED = "presence_changed"  # somebody came to a group, or went
    CHANGED = "changed"  # what regions show, so it has to be read anew
    DISCONNECT = "disconnect"  # sockets with all of the labels have to go
    RECHECK = "recheck"  # the logins of sockets with the labels may have ended
    PROBE = "probe"  # nothing: whether it can be sent is what its sender wants to know
    ECHO = "echo"  # nothing: whether it arrives is


class Message(NamedTuple):
    kind: Kind
    group: str = ""
    # HTML and its number, or a subject that has changed and its row in the database
    pairs: Sequence[tuple[str, int]] = ()
    published: float = 0  # by the clock
    labels: Sequence[str] = ()
    code: int = 0
    sender: str = ""  # the process that has acted on it already, if one has

    def encode(self) -> dict[str, Any]:
        """Return the message as channel layers take it."""
        return {"type": TYPE, **self._asdict()}

    @classmethod
    def decode(cls, received: dict[str, Any]) -> "Message":
        """Return a message that came. Raises InvalidMessage."""
        fields = {name: value for name, value in received.items() if name != "type"}
        try:
            return cls(**{**fields, "kind": Kind(fields["kind"])})
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidMessage(
                f"another version may have sent it: {error!r}"
            ) from None
