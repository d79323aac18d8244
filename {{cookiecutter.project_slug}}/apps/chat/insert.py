"""Number messages and insert them, those of many rooms at once."""

from collections.abc import Collection
from contextlib import nullcontext
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.utils import timezone
from prometheus_client import Histogram

from apps.chat.access import find_outsiders
from apps.chat.models import Message, Room
from apps.users.models import User

# The update locks the room until the commit, so that numbers are in the order of commits.
# A membership that is locked is not removed before it either.
INSERT_ONE = """
    WITH room AS (
        UPDATE chat_room SET last_number = last_number + 1
        WHERE id = %s {limit} AND (NOT is_private OR EXISTS (
            SELECT FROM chat_room_members
            WHERE room_id = %s AND user_id = %s {limit} FOR KEY SHARE
        ))
        RETURNING last_number
    )
    INSERT INTO chat_message (room_id, author_id, client_id, text, created, number)
    SELECT %s, %s, %s, %s, %s, last_number FROM room
    RETURNING *
"""
INSERT = """
    WITH draft AS (
        SELECT *, EXISTS (
            SELECT FROM chat_room_members AS member
            WHERE member.room_id = one.room_id AND member.user_id = one.user_id
            FOR KEY SHARE {skip}
        ) AS is_member
        FROM (VALUES {rows}) AS one (room_id, user_id, client_id, text, created, place)
        WHERE true {limit}
    ), room AS (
        UPDATE chat_room SET last_number = last_number + (
            SELECT count(*) FROM draft
            WHERE room_id = id AND (is_member OR NOT is_private)
        )
        WHERE id IN ({rooms})
        RETURNING id AS room_id, is_private, last_number
    )
    INSERT INTO chat_message (room_id, author_id, client_id, text, created, number)
    SELECT room_id, user_id, client_id, text, created,
        last_number + 1 - row_number() OVER (PARTITION BY room_id ORDER BY place DESC)
    FROM draft JOIN room USING (room_id) WHERE is_member OR NOT is_private
    RETURNING *
"""
# Until the commit, so that the limit holds for the rows that messages refer to as well.
LIMIT = "AND set_config('lock_timeout', '{milliseconds}ms', true) IS NOT NULL"
ROOMS = "SELECT room_id FROM draft"
FREE_ROOMS = """
    SELECT id FROM chat_room WHERE id IN (SELECT room_id FROM draft)
    FOR NO KEY UPDATE SKIP LOCKED
"""
# For how long a lock is waited for at most, in milliseconds, where rooms are not.
PATIENCE = 50

batches = Histogram(
    "chat_batch_messages",
    "Messages that were stored in one transaction.",
    buckets=(1, 2, 5, 10, 20, 50, 100),
)


class Draft(NamedTuple):
    """A message that is not stored yet."""

    room: Room
    author: User
    text: str
    client_id: UUID

    def __hash__(self) -> int:  # of all that it has would take ten times as long
        return hash(self.client_id)

    @property
    def key(self) -> tuple[Any, Any, UUID]:
        """What no two messages have in common."""
        return self.room.pk, self.author.pk, self.client_id


def insert_drafts(
    drafts: Collection[Draft], patience: int | None
) -> dict[Draft, Message]:
    """Store drafts, with as much patience as store_drafts(). Send no post_save signal.

    Leave out those of rooms that are deleted, locked, or private to others. Raise
    IntegrityError, and store none, if one is stored already or its author is deleted.
    """
    if connection.vendor == "postgresql":
        messages = insert_at_once(drafts, patience)
    else:
        messages = insert_in_steps(drafts)
    if messages:
        batches.observe(len(messages))
    return messages


def insert_in_steps(drafts: Collection[Draft]) -> dict[Draft, Message]:
    """Do so in SQLite, where nobody else writes until the transaction ends."""
    messages: dict[Draft, Message] = {}
    pairs = {one: (one.room.pk, one.author.pk) for one in drafts}
    with transaction.atomic():
        rooms = Room.objects.in_bulk({room for room, _ in pairs.values()})
        outsiders = find_outsiders(rooms.values(), pairs.values())
        for draft, pair in pairs.items():
            room = rooms.get(draft.room.pk)
            if room and pair not in outsiders:
                room.last_number += 1
                messages[draft] = Message(number=room.last_number, **draft._asdict())
        Message.objects.bulk_create(messages.values())
        Room.objects.bulk_update(rooms.values(), ["last_number"])
    return messages


def insert_at_once(
    drafts: Collection[Draft], patience: int | None
) -> dict[Draft, Message]:
    """Do so in PostgreSQL, in one statement: no lock is held for a round trip."""
    by_key = {draft.key: draft for draft in drafts}
    created = timezone.now()
    rows = [(*key, draft.text, created) for key, draft in by_key.items()]
    query, params = make_query(rows, patience)
    messages = {}
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        for message in Message.objects.raw(query, params, using=DEFAULT_DB_ALIAS):
            draft = by_key[message.room_id, message.author_id, message.client_id]
            message.room, message.author = draft.room, draft.author
            messages[draft] = message
    return messages


def make_query(
    rows: list[tuple[Any, ...]], patience: int | None
) -> tuple[str, list[Any]]:
    """Return the statement that inserts these rows, and its parameters."""
    # To skip one room takes longer than to fail after a moment.
    skips = patience == 0 and len({room for room, *_ in rows}) > 1
    wait = PATIENCE if skips else patience
    limit = "" if wait is None else LIMIT.format(milliseconds=wait or 1)
    if len(rows) == 1:
        ((room, author, *rest),) = rows
        params = [room, room, author, room, author, *rest]
        return INSERT_ONE.format(limit=limit), params
    query = INSERT.format(
        rows=", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(rows)),
        rooms=FREE_ROOMS if skips else ROOMS,
        skip="SKIP LOCKED" if skips else "",
        limit=limit,
    )
    return query, [value for place, row in enumerate(rows) for value in (*row, place)]
