"""Reads the rows that say what has changed, so that no message has to arrive."""

from collections import deque
from collections.abc import Collection
from threading import Lock
from time import monotonic

from django.db import connections
from django.db.models import BigIntegerField, F, Func, Q

from channels_live.live.changes import aliases
from channels_live.models import Change
from channels_live.observe.outage import database_outage

type Notice = tuple[str, int]  # a subject and the id of its row
type Row = tuple[int, int | None]  # an id and the number beside it

# Rows are kept for as long, in seconds. Who has not looked for half of it trusts nothing.
KEEP = 600


class Ledger:
    """How far a process has read the rows of all databases."""

    def __init__(self) -> None:
        self.databases: list[Database] = []
        self._lock = Lock()

    def begin(self) -> None:
        """Note what is committed already, unless that is done. Called in threads."""
        with self._lock:
            if not self.databases:
                databases = [Database(alias) for alias in aliases()]
                for each in databases:
                    with database_outage.noticed(each.alias):
                        each.begin()
                self.databases = databases

    def end(self) -> None:
        """Read nothing more, for nothing is shown."""
        self.databases = []


class Database:
    """How far the rows of one database are read. Called in threads.

    Ids are in the order of commits where one transaction writes at a time, as on
    SQLite. On PostgreSQL the position is the oldest transaction that was open; what was
    seen of it and later ones is kept in mind. The newest row is read again each time:
    without it, the database was emptied or restored, or another one took over.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._rows = Change.objects.using(alias)
        self._has_snapshots = connections[alias].vendor == "postgresql"
        self._at = "transaction" if self._has_snapshots else "id"
        self._read_at = float("-inf")

    def begin(self) -> None:
        """Begin after what is committed by now."""
        self._seen: set[Row] = set()
        if self._has_snapshots:
            with connections[self.alias].cursor() as cursor:
                cursor.execute("SELECT txid_snapshot_xmin(txid_current_snapshot())")
                self._position = int(cursor.fetchone()[0])
        rows = self._rows.order_by("id").values_list("id", "transaction")
        self._newest: Row = rows.last() or (0, 0)
        if not self._has_snapshots:
            self._position = self._newest[0] + 1
        self._read_at = monotonic()

    def read(self, heard: Collection[Notice]) -> list[str] | None:
        """Return the subjects of new rows that were not heard of. One query.

        Returns None, and begins anew, where rows may be missing.
        """
        is_late = monotonic() - self._read_at > KEEP / 2
        self._read_at = float("-inf")  # for as long as the database is away
        rows = None if is_late else self._find()
        if rows is None:
            self.begin()
            return None
        self._read_at = monotonic()
        return [subject for (row, _), subject in rows if (subject, row) not in heard]

    def _find(self) -> list[tuple[Row, str]] | None:
        """Return rows that are new; None where the newest of before is missing."""
        end = oldest_open() if self._has_snapshots else F("id") + 1
        newest = Q(pk=self._newest[0])
        rows = self._rows.filter(newest | Q((f"{self._at}__gte", self._position)))
        fields = rows.order_by("id").values_list("id", "transaction", "subject", end)
        found = {(row[0], row[1]): (row[2], row[3]) for row in fields}
        known, position = self._newest, self._position
        if found:
            self._newest, (_, self._position) = list(found.items())[-1]
        if (known[0] and known not in found) or self._position < position:
            return None
        seen = self._seen | {known}
        if self._has_snapshots:
            self._seen = {row for row in found if (row[1] or 0) >= self._position}
        return [(row, found[row][0]) for row in found if row not in seen]

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
