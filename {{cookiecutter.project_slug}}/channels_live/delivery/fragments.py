"""What is sent to groups, and what it is read from again."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

from channels_live.base.frames import encode


class Fragment(NamedTuple):
    """A piece of HTML on its way to every socket of a group.

    Numbered fragments of one group are counted 1, 2, 3, … in the order of their
    commits. Number 0 is a passing remark ("Ada is typing"): sent at most once, and
    never caught up on.
    """

    html: str
    number: int = 0
    published: float = 0  # by the clock; 0 for what was read again


class Event(Fragment):
    """The same for the sockets of JsonConsumers: a JSON object, and its number.

    Raises TypeError or ValueError for what is no JSON. `html` is the frame.
    """

    __slots__ = ()

    def __new__(cls, content: Mapping[str, object], number: int = 0) -> Self:
        return super().__new__(cls, encode(content), number)


class History(Protocol):
    """Where numbered fragments can be read again. Every method may hit the database."""

    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        """Return the newest number of each group; 0 where nothing was said yet.

        A group that is no more is left out.
        """

    async def load(self, group: str, after: int, limit: int) -> Sequence[Fragment]:
        """Return the oldest `limit` fragments with a number above `after`, in order."""

    def skipped(self, group: str, after: int, until: int) -> str | Mapping[str, object]:
        """Return what stands for all after `after` up to `until`: too much to send."""


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
