"""Tells every process what has changed: by a row that commits with the change, and by a
message after it."""

from collections.abc import Sequence
from functools import partial
from random import getrandbits
from typing import Any

from django.db import router, transaction
from django.db.models import Func, Model

from channels_live.base.messages import Kind, Message
from channels_live.base.work import in_own_thread, is_in_loop, start
from channels_live.delivery.hub import EVERYBODY, reaches_nobody, send
from channels_live.models import Change

# Models whose databases are read: see ledger.py.
followed: set[type[Model]] = {Change}


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
        start(in_own_thread(write)(subjects, using))
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
    # Elsewhere than on PostgreSQL it tells a row from one that had its id before.
    number: Any = getrandbits(62)
    if connection.vendor == "postgresql":
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
        start(tell(rows))


async def tell(rows: dict[str, int]) -> None:
    await send(EVERYBODY, Message(Kind.CHANGED, pairs=list(rows.items())))
