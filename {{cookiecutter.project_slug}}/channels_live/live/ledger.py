"""Reads the rows that say what has changed, so that no message has to arrive."""

from collections import deque
from collections.abc import Collection
from threading import Lock
from time import monotonic

from django.db import connections, router
from django.db.models import BigIntegerField, F, Func, Max, Model

from channels_live.live.region import regions
from channels_live.models import Change

type Row = tuple[str, int]  # a subject and an id

# Rows are kept for as long, in seconds. Who has not looked for half of it trusts nothing.
KEEP = 600


def aliases() -> set[str]:
    """Return the databases that changes are written down in."""
    models: set[type[Model]] = {Change}
    models.update(model for region in regions.values() for model in region.fields)
    return {router.db_for_write(model) for model in models}


class Ledger:
    """How far a process has read the rows of all databases. Called in threads."""

    def __init__(self) -> None:
        self._databases: dict[str, Database] = {}
        self._lock = Lock()
        self._read_at = 0.0

    def begin(self) -> None:
        """Note what is committed already, unless that is done."""
        with self._lock:
            if not self._databases:
                self._databases = {alias: Database(alias) for alias in aliases()}
                self._read_at = monotonic()

    def end(self) -> None:
        """Read nothing more, for nothing is shown."""
        self._databases = {}

    def read(self, heard: Collection[Row]) -> list[str] | None:
        """Return the subjects of new rows that were not heard of.

        Returns None where rows may be missing. One query for each database.
        """
        with self._lock:
            now = monotonic()
            is_late = now - self._read_at > KEEP / 2
            found = [
                one for each in self._databases.values() for one in each.read(heard)
            ]
            self._read_at = now
        return None if is_late else found


class Database:
    """How far the rows of one database are read.

    Ids are in the order of commits where one transaction writes at a time, as on
    SQLite. On PostgreSQL the position is the oldest transaction that was open; what was
    seen of it and later ones is kept in mind.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._rows = Change.objects.using(alias)
        self._has_snapshots = connections[alias].vendor == "postgresql"
        self._seen: set[Row] = set()
        self.position = self._end()

    def _end(self) -> int:
        """Return the position before which nothing can appear any more."""
        if self._has_snapshots:
            with connections[self._alias].cursor() as cursor:
                cursor.execute("SELECT txid_snapshot_xmin(txid_current_snapshot())")
                return int(cursor.fetchone()[0])
        return self._rows.aggregate(last=Max("id"))["last"] or 0

    def read(self, heard: Collection[Row]) -> list[str]:
        """Return the subjects of new rows that were not heard of."""
        if self._has_snapshots:
            rows = self._rows.filter(transaction__gte=self.position)
            rows = rows.annotate(at=F("transaction"), end=oldest_open())
        else:
            rows = self._rows.filter(id__gt=self.position)
            rows = rows.annotate(at=F("id"), end=F("id"))
        found = list(rows.order_by("id").values_list("subject", "id", "at", "end"))
        new = {(subject, row) for subject, row, *_ in found} - self._seen
        if found:
            self.position = found[-1][-1]
            self._seen = {
                (subject, row)
                for subject, row, position, _ in found
                if self._has_snapshots and position >= self.position
            }
        return [subject for subject, _ in new.difference(heard)]

    def clear(self, position: int) -> None:
        """Delete what was written before a position."""
        if self._has_snapshots:
            self._rows.filter(transaction__lt=position).delete()
        else:
            self._rows.filter(id__lte=position).delete()


def oldest_open() -> Func:
    """Return the oldest transaction that is open as far as a query sees."""
    snapshot = Func(function="txid_current_snapshot")
    return Func(snapshot, function="txid_snapshot_xmin", output_field=BigIntegerField())


class Cleaner:
    """Deletes rows that every process has read long ago."""

    def __init__(self) -> None:
        self._noted: deque[tuple[float, dict[str, int]]] = deque()

    def clear(self) -> None:
        databases = {alias: Database(alias) for alias in aliases()}
        now = monotonic()
        positions = {alias: one.position for alias, one in databases.items()}
        self._noted.append((now, positions))
        while self._noted[0][0] < now - KEEP:
            for alias, position in self._noted.popleft()[1].items():
                databases[alias].clear(position)
