"""Tells every process what has changed: by a row that commits with the change, and by a
message after it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from functools import partial
from random import getrandbits
from typing import Any, Self
from zlib import crc32

from django.db import router, transaction
from django.db.models import Func, Model

from channels_live.base.loops import is_in_loop, start
from channels_live.base.messages import Kind, Message
from channels_live.base.work import in_own_thread
from channels_live.delivery.hub import EVERYBODY, reaches_nobody, send
from channels_live.models import Change

# Groups of the channel layer that all subjects share.
BUCKETS = 64

# What has committed and is not sent yet: a subject, and the id of its row.
_waiting: deque[tuple[str, int]] = deque()

# Models whose databases are read: see ledger.py.
followed: set[type[Model]] = {Change}


class Notices(dict[str, int]):
    """What has changed within a transaction: subjects, and the ids of their rows.

    Called when it commits.
    """

    hooks: list[Any]

    def __call__(self) -> None:
        rows = dict(self)
        self.clear()
        publish(rows)

    @classmethod
    def current(cls, connection: Any) -> Self:
        """Return what was said since a transaction or savepoint was rolled back last.

        Django makes a new list of hooks then, and at each commit.
        """
        found: Self | None = getattr(connection, "live_notices", None)
        if found is None or found.hooks is not connection.run_on_commit:
            found = connection.live_notices = cls()
            found.hooks = connection.run_on_commit
        return found


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
    notices = Notices.current(connection)
    new = [one for one in dict.fromkeys(subjects) if one not in notices]
    if not new:
        return
    # Elsewhere than on PostgreSQL it tells a row from one that had its id before.
    number: Any = getrandbits(62)
    if connection.vendor == "postgresql":
        number = Func(function="txid_current")
    is_first = not notices
    rows = [Change(subject=one, transaction=number) for one in new]
    if len(rows) == 1:
        rows[0].save(using=using, force_insert=True)  # needs no transaction of its own
    else:
        Change.objects.using(using).bulk_create(rows)
    for row in rows:
        # Ids of two databases may be the same; an id of 0 was never heard of.
        notices[row.subject] = row.pk if using == default else 0
    if is_first:
        transaction.on_commit(notices, using=using)


def publish(rows: dict[str, int]) -> None:
    """Tell the processes that show it; without Redis, others find the rows."""
    if not reaches_nobody():
        _waiting.extend(rows.items())
        start(send_waiting())


async def send_waiting() -> None:
    """Send all that waits: one message to each group."""
    messages: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    while _waiting:
        subject, row = _waiting.popleft()
        messages[bucket(subject)].append((subject, row))
    await asyncio.gather(
        *(
            send(group, Message(Kind.CHANGED, group, pairs))
            for group, pairs in messages.items()
        )
    )


def bucket(subject: str) -> str:
    """Return the group that carries the notices of a subject."""
    if subject.endswith(" "):
        return EVERYBODY
    return f"channels_live.live.{crc32(subject.encode()) % BUCKETS}"
