"""What a group's fragments are stored in: the truth that sockets catch up from."""

from collections.abc import Collection
from typing import NamedTuple, Protocol


class Fragment(NamedTuple):
    """A piece of HTML on its way to every socket of a group.

    Numbered fragments of one group are counted 1, 2, 3, … in the order of their
    commits. Number 0 is a passing remark ("Ada is typing"): sent at most once, and
    never caught up on.
    """

    html: str
    number: int = 0
    published: float = 0  # by the clock; 0 for what was read again


class History(Protocol):
    """Where numbered fragments can be read again. Every method may hit the database."""

    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        """Return the newest number of each group; 0 where nothing was said yet.

        A group that is no more is left out.
        """

    async def load(self, group: str, after: int, limit: int) -> list[Fragment]:
        """Return the oldest `limit` fragments with a number above `after`, in order."""

    def skipped(self, group: str, after: int, until: int) -> str:
        """Return HTML for what came after `after` up to `until`: too much to send."""
