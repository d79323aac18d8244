"""What is sent to groups, and the histories that load it again."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

from channels_live.base.frames import encode

MISNUMBERED = (
    "{0!r}.load() returned the numbers {2}, …; expected numbers above {1}, in order. Load "
    "what comes after that number, as Fragment(html, number) or Event(content, number)."
)


class Fragment(NamedTuple):
    """A piece of HTML for every socket of a group.

    Fragments of a group with a history are numbered 1, 2, 3, … in the order of their
    commits. A fragment with the number 0 ("Ada is typing") is sent at most once, and
    not replayed.
    """

    html: str
    number: int = 0
    published: float = 0  # by the clock; 0 for what was read again


class Event(Fragment):
    """A JSON object for every socket of JsonConsumers in a group, and its number.

    Raises TypeError or ValueError if the content is no JSON. `html` is the frame.
    """

    __slots__ = ()

    def __new__(cls, content: Mapping[str, object], number: int = 0) -> Self:
        return super().__new__(cls, encode(content), number)


class History(Protocol):
    """Loads numbered fragments again, for catch-up. Async methods may query the database."""

    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        """Return the newest number of each group, or 0 if it has no fragments yet.

        Leave out groups that no longer exist.
        """

    async def load(self, group: str, after: int, limit: int) -> Sequence[Fragment]:
        """Return the oldest `limit` fragments with a number above `after`, in order."""

    def skipped(self, group: str, after: int, until: int) -> str | Mapping[str, object]:
        """Return a replacement for the fragments after `after` up to `until`, which are
        too many to send."""


def as_fragment(given: Any, *, is_json: bool = False) -> Fragment:
    """Return HTML, or JSON, as it goes out.

    Raises TypeError for the other, or for neither; ValueError for what is no JSON, and
    for halves of characters.
    """
    if is_json:
        return given if isinstance(given, Event) else Event(given)
    if isinstance(given, Event):
        raise TypeError(f"Expected HTML, got {given!r:.80}: use publish_event().")
    fragment = given if isinstance(given, Fragment) else Fragment(given)
    if not isinstance(fragment.html, str):
        raise TypeError(
            f"Expected HTML as str, got {type(fragment.html).__name__}: "
            f"{fragment.html!r:.80}. Call str() on a lazy string or a UUID."
        )
    fragment.html.encode()
    return fragment


def in_order(fragments: list[Fragment], after: int, history: History) -> list[Fragment]:
    """Return what a history has loaded. Raises ValueError for what it should not have."""
    numbers = [after, *(one.number for one in fragments)]
    if numbers != sorted(set(numbers)):
        raise ValueError(MISNUMBERED.format(history, after, numbers[1:9]))
    return fragments
