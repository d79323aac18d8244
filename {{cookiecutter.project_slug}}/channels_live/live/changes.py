"""Tells every process what has changed: by a row that commits with the change, and by a
message after it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any, Self
from zlib import crc32

from django.db import router, transaction
from django.db.models import Func

from channels_live.base.loops import is_in_loop, start
from channels_live.base.messages import Kind, Message
from channels_live.base.work import in_thread
from channels_live.delivery.hub import EVERYBODY, reaches_nobody, send
from channels_live.models import Change

# Groups of the channel layer that all subjects share.
BUCKETS = 64

# What has committed and is not sent yet: a subject, and the id of its row.
_waiting: deque[tuple[str, int]] = deque()


class Notices:
    """What has changed within one transaction, or within savepoints of it.

    Called when it commits: Django forgets what a savepoint that is rolled back says.
    """

    def __init__(self, rows: dict[str, int]) -> None:
        self.rows = rows  # subject → the id of its row
        self.is_sent = False

    def __call__(self) -> None:
        self.is_sent = True
        publish(self.rows)

    @classmethod
    def pending(cls, using: str) -> list[tuple[set[str], Self]]:
        """Return what waits for the commit, and the savepoints that it was said within.

        Those are released by now, or around whatever is said next.
        """
        return [
            (within, notices)
            for within, notices, _ in transaction.get_connection(using).run_on_commit
            if isinstance(notices, cls) and not notices.is_sent
        ]


def record(subjects: Sequence[str], using: str | None) -> None:
    """Write down what has changed, and publish it on commit.

    In async code, which is in no transaction, that is done soon after.
    """
    if is_in_loop():
        start(in_thread(write)(subjects, using))
    else:
        write(subjects, using)


def write(subjects: Sequence[str], using: str | None) -> None:
    using = using or router.db_for_write(Change)
    connection = transaction.get_connection(using)
    pending = Notices.pending(using)
    new = [
        one
        for one in dict.fromkeys(subjects)
        if not any(one in notices.rows for _, notices in pending)
    ]
    if not new:
        return
    position: Any = None
    if connection.vendor == "postgresql":
        position = Func(function="txid_current")
    changes = [Change(subject=one, transaction=position) for one in new]
    rows = {row.subject: row.pk for row in insert(changes, using)}
    for within, notices in pending:
        if within == set(connection.savepoint_ids):
            notices.rows.update(rows)
            return
    transaction.on_commit(Notices(rows), using=using)


def insert(changes: list[Change], using: str) -> list[Change]:
    """Store rows, in a transaction of their own only if there are several."""
    if len(changes) == 1:
        changes[0].save(using=using, force_insert=True)
        return changes
    return Change.objects.using(using).bulk_create(changes)


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
