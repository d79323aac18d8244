"""Reads the rows that say what has changed, so that no message has to arrive."""

from collections import deque
from collections.abc import Collection
from time import monotonic
from typing import Any

from django.db import connections
from django.db.models import BigIntegerField, F, Func, Q

from channels_live.live.changes import aliases
from channels_live.models import Change

type Notice = tuple[str, int]  # a subject and the id of its row
type Row = tuple[int, Any]  # an id and the number beside it

# Rows are kept for as long, in seconds. Who has not looked for half of it trusts nothing.
KEEP = 600


class Database:
    """How far the rows of one database are read. Called in threads.

    Ids are in the order of commits where one transaction writes at a time, as on
    SQLite. On PostgreSQL the position is the oldest transaction that was open; what was
    seen of it and later ones is kept in mind. The newest row is read again each time:
    without it, the database was emptied or restored, or another one took over.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._rows = Change.objects.using(alias).order_by("id")
        self._has_snapshots = connections[alias].vendor == "postgresql"
        self._at = "transaction" if self._has_snapshots else "id"
        self._end = oldest_open() if self._has_snapshots else F("id") + 1
        self._position = 0
        self._read_at = float("-inf")

    def begin(self) -> None:
        """Begin after what is committed by now."""
        newest = self._rows.values_list("id", "transaction", self._end).last()
        row, number, self._position = newest or (0, 0, 0)
        self._newest: Row = (row, number)
        self._seen = {self._newest}
        self._read_at = monotonic()

    def read(self, heard: Collection[Notice]) -> list[str] | None:
        """Return the subjects of new rows that were not heard of. One query.

        Returns None, and begins anew, where rows may be missing.
        """
        is_late = monotonic() - self._read_at > KEEP / 2
        self._read_at = float("-inf")  # unless all goes well
        new = None if is_late else self._find()
        if new is None:
            self.begin()
            return None
        self._read_at = monotonic()
        return [subject for (row, _), subject in new if (subject, row) not in heard]

    def _find(self) -> list[tuple[Row, str]] | None:
        """Return new rows and their subjects; None where the newest of before is gone."""
        newest = Q(pk=self._newest[0])
        rows = self._rows.filter(newest | Q((f"{self._at}__gte", self._position)))
        found = list(rows.values_list("id", "transaction", "subject", self._end))
        subjects = {(row, number): subject for row, number, subject, _ in found}
        end = found[-1][-1] if found else self._position
        if self._newest not in {**subjects, (0, 0): ""} or end < self._position:
            return None
        new = [one for one in subjects.items() if one[0] not in self._seen]
        self._position, self._newest = end, max(subjects, default=self._newest)
        self._seen = {self._newest}
        if self._has_snapshots:
            self._seen.update(row for row in subjects if row[1] >= end)
        return new

    def clear(self) -> None:
        """Delete what was written before it began, but for the newest row."""
        old = self._rows.filter((f"{self._at}__lt", self._position))
        old.exclude(pk=self._newest[0]).delete()


def oldest_open() -> Func:
    """Return the oldest transaction that is open as far as a query sees."""
    snapshot = Func(function="txid_current_snapshot")
    return Func(snapshot, function="txid_snapshot_xmin", output_field=BigIntegerField())


class Cleaner:
    """Deletes rows that every process has read long ago."""

    def __init__(self) -> None:
        self._noted: deque[tuple[float, list[Database]]] = deque()

    def clear(self) -> None:
        databases = [Database(alias) for alias in aliases()]
        for each in databases:
            each.begin()
        now = monotonic()
        self._noted.append((now, databases))
        while self._noted[0][0] < now - KEEP:
            for each in self._noted.popleft()[1]:
                each.clear()
