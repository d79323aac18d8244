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


class Ledger:
    """How far the rows of one database are read: it begins with what is committed by now.

    Ids are in the order of commits where one transaction writes at a time, as on
    SQLite. On PostgreSQL the position is the oldest transaction that was open; what was
    seen of it and later ones is kept in mind. The newest row is read again each time:
    without it, the database was emptied or restored, or another one took over.
    """

    def __init__(self, alias: str) -> None:
        self._rows = Change.objects.using(alias).order_by("id")
        is_postgresql = connections[alias].vendor == "postgresql"
        self._at = "transaction" if is_postgresql else "id"
        self._end = oldest_open() if is_postgresql else F("id") + 1
        newest = self._rows.values_list("id", "transaction", self._end).last()
        row, number, end = newest or (0, 0, 0)
        self._position: int = end
        self._newest: Row = (row, number)
        self._seen = {self._newest}
        self._read_at = monotonic()

    def read(self, heard: Collection[Notice]) -> list[str] | None:
        """Return the subjects of new rows that were not heard of. One query.

        Returns None where rows may be missing: begin anew.
        """
        newest = Q(pk=self._newest[0])
        rows = self._rows.filter(newest | Q((f"{self._at}__gte", self._position)))
        found = list(rows.values_list("id", "transaction", "subject", self._end))
        subjects = {(row, number): subject for row, number, subject, _ in found}
        end = found[-1][-1] if found else self._position
        is_late = monotonic() - self._read_at > KEEP / 2
        is_there = self._newest in {**subjects, (0, 0): ""}
        if is_late or not is_there or end < self._position:
            return None
        new = subjects.keys() - self._seen
        self._position, self._newest = end, max(subjects, default=self._newest)
        self._seen = {self._newest}
        if self._at == "transaction":
            self._seen.update(row for row in subjects if row[1] >= end)
        self._read_at = monotonic()
        told = ((subjects[row], row[0]) for row in new)
        return [subject for subject, row in told if (subject, row) not in heard]

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
        self._noted: deque[tuple[float, list[Ledger]]] = deque()

    def clear(self) -> None:
        now = monotonic()
        self._noted.append((now, [Ledger(alias) for alias in aliases()]))
        while self._noted[0][0] < now - KEEP:
            for each in self._noted.popleft()[1]:
                each.clear()
