"""Number messages and store them, those of many rooms in one transaction."""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _
from prometheus_client import Histogram

from apps.chat.access import find_outsiders
from apps.chat.models import Message, Room
from apps.users.models import User

# PostgreSQL's lock_not_available.
LOCKED = "55P03"
COUNT_UP = """
    UPDATE chat_room SET last_number = last_number + CASE id {cases} END
    WHERE {chosen} RETURNING id, last_number, is_private
"""
# Until the commit, so that the limit holds for the rows that messages refer to as well.
LIMIT = " AND set_config('lock_timeout', '{milliseconds}ms', true) IS NOT NULL"
SKIP = "id IN (SELECT id FROM chat_room WHERE {chosen} FOR NO KEY UPDATE SKIP LOCKED)"
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


class Busy(ValidationError):
    """Raised when somebody else locks the room, or whatever a message refers to."""

    def __init__(self) -> None:
        super().__init__(
            _("This room is locked at the moment. Your message is not stored yet.")
        )


# What became of a draft.
Outcome = Message | ValidationError | Room.DoesNotExist


def store_drafts(
    drafts: Collection[Draft], patience: int | None = None
) -> dict[Draft, Outcome]:
    """Store drafts. Return what became of each.

    If a client_id is stored already, that is the stored message. A room that somebody
    locks is waited for as long as `patience`, in milliseconds, or as the connection
    says. With 0 it is hardly waited for, and so holds up no other room.
    """
    try:
        return store(drafts, patience)
    except Busy as error:
        return dict.fromkeys(drafts, error)
    except IntegrityError:
        found = find_stored(drafts)
    rest = [draft for draft in drafts if draft not in found]
    if not found and len(rest) == 1:
        return {rest[0]: ValidationError(_("Your account is no more."))}
    # Together, or if something else is wrong one by one, to find out with which.
    outcomes: dict[Draft, Outcome] = {}
    for some in [rest] if found else [[draft] for draft in rest]:
        outcomes |= store_drafts(some, patience)
    for draft, message in found.items():
        outcomes[draft] = message
        if draft.text != message.text:
            # A form was sent, went back, and says something else now. Sent a third
            # time it is the same message.
            other = draft._replace(client_id=uuid5(draft.client_id, draft.text))
            outcomes[draft] = store_drafts([other], patience)[other]
    return outcomes


def find_stored(drafts: Collection[Draft]) -> dict[Draft, Message]:
    """Return the messages that have the client_id of a draft."""
    messages = Message.objects.filter(
        room__in={draft.room for draft in drafts},
        author__in={draft.author for draft in drafts},
        client_id__in={draft.client_id for draft in drafts},
    )
    by_key = {(one.room_id, one.author_id, one.client_id): one for one in messages}
    keys = {one: (one.room.pk, one.author.pk, one.client_id) for one in drafts}
    return {draft: by_key[key] for draft, key in keys.items() if key in by_key}


def store(drafts: Collection[Draft], patience: int | None) -> dict[Draft, Outcome]:
    """Store drafts, with two queries for any number of them. Send no post_save signal.

    Raise IntegrityError, and store none, if one is stored already or its author is
    deleted; Busy if a lock could not be had in time.
    """
    if not drafts:
        return {}
    messages: dict[Draft, Message] = {}
    with busy_noticed(), transaction.atomic():
        rooms = count_up(Counter(draft.room.pk for draft in drafts), patience)
        refused = refuse_missing(drafts, rooms)
        pairs = {one: (one.room.pk, one.author.pk) for one in drafts}
        strange = find_outsiders(rooms.values(), pairs.values())
        outsiders = {one for one in drafts if pairs[one] in strange}
        for draft in drafts:
            if draft not in refused and draft not in outsiders:
                room = rooms[draft.room.pk]
                room.last_number += 1
                messages[draft] = Message(number=room.last_number, **draft._asdict())
        Message.objects.bulk_create(messages.values())
        if outsiders:  # their numbers are not used
            of_outsiders = {rooms[draft.room.pk] for draft in outsiders}
            Room.objects.bulk_update(of_outsiders, ["last_number"])
    if messages:
        batches.observe(len(messages))
    outsider = ValidationError(_("Only members of this room may write in it."))
    return refused | dict.fromkeys(outsiders, outsider) | messages


def count_up(count: Counter[Any], patience: int | None = None) -> dict[Any, Room]:
    """Reserve so many numbers of each room, and lock the rooms until the commit.

    Return them as they are now, for whoever posts may have known them for hours, and
    with the numbers that were the last before. What is locked or deleted is left out.
    """
    to_db = partial(Room._meta.pk.get_db_prep_value, connection=connection)
    keys = [to_db(key) for key in count]
    chosen = f"id IN ({', '.join(['%s'] * len(keys))})"
    if connection.vendor == "postgresql" and patience is not None:
        # To skip one room takes longer than to fail after a moment.
        skips = not patience and len(keys) > 1
        chosen += LIMIT.format(milliseconds=PATIENCE if skips else max(patience, 1))
        chosen = SKIP.format(chosen=chosen) if skips else chosen
    query = COUNT_UP.format(cases="WHEN %s THEN %s " * len(keys), chosen=chosen)
    cases = chain.from_iterable(zip(keys, count.values(), strict=True))
    rooms = {}
    with connection.cursor() as cursor:
        cursor.execute(query, [*cases, *keys])
        for pk, last_number, is_private in cursor.fetchall():
            key = Room._meta.pk.to_python(pk)
            before = last_number - count[key]
            rooms[key] = Room(pk=key, last_number=before, is_private=bool(is_private))
    return rooms


def refuse_missing(
    drafts: Collection[Draft], rooms: dict[Any, Room]
) -> dict[Draft, Outcome]:
    """Return why drafts cannot be stored in rooms that are locked or deleted."""
    missing = {one: one.room.pk for one in drafts if one.room.pk not in rooms}
    if not missing:
        return {}
    found = Room.objects.filter(pk__in=set(missing.values()))
    locked = set(found.values_list("pk", flat=True))
    return {
        draft: Busy() if key in locked else Room.DoesNotExist("The room was deleted.")
        for draft, key in missing.items()
    }


@contextmanager
def busy_noticed() -> Iterator[None]:
    """Raise Busy in the place of the error of a lock that could not be had in time."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCKED:
            raise
        raise Busy from error
