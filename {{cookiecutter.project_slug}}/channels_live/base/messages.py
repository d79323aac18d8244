"""What processes tell each other through the channel layer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

# One type for all. Channels' own consumers ignore it: see apps.py.
TYPE = "channels_live"


class InvalidMessage(ValueError):
    """Raised for what this version of the library does not send."""


class Fragments(NamedTuple):
    """HTML for the sockets of a group, each with its number."""

    group: str
    pairs: Sequence[tuple[str, int]]
    published: float  # by the clock


class HistoryChanged(NamedTuple):
    """What is remembered of a group's fragments is no longer what its history has."""

    group: str


class PresenceChanged(NamedTuple):
    """Somebody came to a group, or went."""

    group: str


class Disconnect(NamedTuple):
    """Sockets with all of these labels have to go."""

    labels: Sequence[str]
    code: int


class Recheck(NamedTuple):
    """Somebody's logins may have ended."""

    user: str


class Probe(NamedTuple):
    """Nothing: whether it can be sent is what its sender wants to know."""


class Echo(NamedTuple):
    """Nothing: whether it arrives is what its sender, who receives it, wants to know."""


type Message = (
    Fragments | HistoryChanged | PresenceChanged | Disconnect | Recheck | Probe | Echo
)
KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        *(Fragments, HistoryChanged, PresenceChanged, Disconnect, Recheck),
        *(Probe, Echo),
    )
}


def encode(message: Message, sender: str = "") -> dict[str, Any]:
    """Return a message as channel layers take it.

    With a `sender`, the process of that id has acted on it already.
    """
    kind = type(message).__name__
    return {"type": TYPE, "kind": kind, "sender": sender, **message._asdict()}


def decode(received: object) -> tuple[Message, str]:
    """Return a message and its sender. Raises InvalidMessage."""
    if not isinstance(received, dict) or received.get("type") != TYPE:
        raise InvalidMessage(f"it is no message of this library: {received!r:.200}")
    fields = {k: v for k, v in received.items() if k not in {"type", "kind", "sender"}}
    try:
        message: Message = KINDS[received["kind"]](**fields)
        check(message)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidMessage(f"another version may have sent it ({error!r})") from None
    return message, str(received.get("sender", ""))


def check(message: Message) -> None:
    """Raise TypeError or ValueError for what would be trouble later on."""
    match message:
        case Fragments(str(), pairs, float() | int()):
            is_sound = all(
                isinstance(html, str) and isinstance(number, int)
                for html, number in pairs
            )
        case Disconnect([*labels], int()):
            is_sound = bool(labels) and all(isinstance(one, str) for one in labels)
        case HistoryChanged(str()) | PresenceChanged(str()) | Recheck(str()):
            is_sound = True
        case _:
            is_sound = isinstance(message, Probe | Echo)
    if not is_sound:
        raise TypeError("a field has another type")
