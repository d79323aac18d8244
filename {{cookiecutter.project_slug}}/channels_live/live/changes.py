"""Tells every process what has changed: by a row that commits with the change, and by a
message after it, for the rows are read every half second only."""

from collections.abc import Collection, Sequence
from functools import partial
from time import monotonic
from typing import Any

from django.apps import apps
from django.db import connections, router, transaction
from django.db.models import BigIntegerField, F, Func, Model, Q

from channels_live.base.messages import Kind, Message
from channels_live.base.tasks import is_in_loop, start
from channels_live.base.threads import start_in_thread
from channels_live.delivery.sending import EVERYBODY, reaches_nobody, tell
from channels_live.models import Change

type Notice = tuple[str, int]  # a subject and the id of its row

# Rows are kept for as long, in seconds. Who has not looked for half of it trusts nothing.
KEEP = 600

# Models whose databases are read.
followed: set[type[Model]] = {Change}


def with_subclasses(model: type[Model]) -> list[type[Model]]:
    """Return the models whose signals tell of its rows, such as its proxies."""
    return [one for one in apps.get_models() if issubclass(one, model)]


class Notices(dict[str, int]):
    """What a transaction has changed: subjects, and the ids of their rows.

    Called when it commits.
    """

    def __call__(self) -> None:
        rows = dict(self)
        self.clear()
        publish(rows)


def notices_of(connection: Any) -> Notices:
    """Return those since a transaction or savepoint was rolled back last.

    Django makes a new list of hooks then, and at each commit.
    """
    hooks, notices = getattr(connection, "live_notices", (None, Notices()))
    if hooks is not connection.run_on_commit:
        notices = Notices()
        connection.live_notices = connection.run_on_commit, notices
    return notices


def aliases() -> set[str]:
    """Return the databases that changes are written down in."""
    return {router.db_for_write(model) for model in followed}


def record(subjects: Sequence[str], using: str | None) -> None:
    """Write down what has changed, and publish it on commit.

    In async code, which is in no transaction, that is done soon after.
    """
    if is_in_loop():
        start_in_thread(write, subjects, using)
    else:
        write(subjects, using)


def write(subjects: Sequence[str], using: str | None) -> None:
    default = router.db_for_write(Change)
    using = using or default
    if using != default and using not in aliases():
        # Where nobody reads. Its commit comes first, so a crash between may lose it.
        transaction.on_commit(partial(write, subjects, default), using=using)
        return
    connection = transaction.get_connection(using)
    notices = notices_of(connection)
    new = [one for one in dict.fromkeys(subjects) if one not in notices]
    if not new:
        return
    number = None
    if connection.vendor == "postgresql":  # whose ids are not in the order of commits
        number = Func(function="txid_current")
    is_first = not notices
    rows = [Change(subject=one, transaction=number) for one in new]
    for row in Change.objects.using(using).bulk_create(rows):
        # Ids of two databases may be the same; an id of 0 was never heard of.
        notices[row.subject] = row.pk if using == default else 0
    if is_first:
        transaction.on_commit(notices, using=using)


def publish(rows: dict[str, int]) -> None:
    """Tell the processes that show it; without Redis, others find the rows."""
    if not reaches_nobody():
        start(tell(EVERYBODY, Message(Kind.CHANGED, pairs=list(rows.items()))))


class Ledger:
    """How far the rows of one database are read: it begins with what is committed by now.

    Ids are in the order of commits where one transaction writes at a time, as on
    SQLite. On PostgreSQL the position is the oldest transaction that was open; what was
    seen of it and later ones is kept in mind. The newest row is read again each time:
    without it, the database was emptied or restored, or another one took over.
    """

    def __init__(self, alias: str) -> None:
        is_postgresql = connections[alias].vendor == "postgresql"
        self._at = "transaction" if is_postgresql else "id"
        end = oldest_open() if is_postgresql else F("id") + 1
        self._columns = "id", self._at, "subject", end
        self._rows = Change.objects.using(alias).order_by("id")
        newest = self._rows.values_list(*self._columns).last()
        self._remember([newest] if newest else [(0, 0, "", 0)])

    def read(self, heard: Collection[Notice]) -> list[str] | None:
        """Return the subjects of new rows that were not heard of. One query.

        Returns None where rows may be missing: begin anew.
        """
        at_or_after = Q((f"{self._at}__gte", self._position))
        rows = self._rows.filter(Q(pk=self._newest) | at_or_after)
        found = list(rows.values_list(*self._columns))
        is_late = monotonic() - self._read_at > KEEP / 2
        is_gone = self._newest and self._newest not in (row for row, *_ in found)
        if is_late or is_gone or (found and found[-1][-1] < self._position):
            return None
        new = [row for row in found if row[0] not in self._seen]
        self._remember(found)
        told = ((subject, row) for row, _, subject, _ in new)
        return [notice[0] for notice in told if notice not in heard]

    def _remember(self, rows: list[tuple[int, int, str, int]]) -> None:
        self._read_at = monotonic()
        if rows:
            self._newest, _, _, self._position = rows[-1]
            seen = {row for row, at, *_ in rows if at >= self._position}
            self._seen = {self._newest, *seen}

    def clear(self) -> None:
        """Delete what was written before it began, but for the newest row."""
        old = self._rows.filter((f"{self._at}__lt", self._position))
        old.exclude(pk=self._newest).delete()


def oldest_open() -> Func:
    """Return the oldest transaction that is open as far as a query sees."""
    snapshot = Func(function="txid_current_snapshot")
    return Func(snapshot, function="txid_snapshot_xmin", output_field=BigIntegerField())


def clear(known: Collection[Ledger]) -> list[Ledger]:
    """Delete what was known, as long ago as rows are kept; return what is known by now."""
    for each in known:
        each.clear()
    return [Ledger(alias) for alias in aliases()]
