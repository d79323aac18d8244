"""Stores messages, many in one transaction, and publishes them on commit."""

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from channels.db import database_sync_to_async
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from apps.chat.flood import Flood, check_flood
from apps.chat.models import Message, Room
from apps.chat.rendering import render_message
from apps.realtime.batch import Batcher
from apps.realtime.history import Fragment
from apps.realtime.publish import publish_all
from apps.users.models import User


class Draft(NamedTuple):
    """A message that is not stored yet."""

    room: Room
    author: User
    text: str
    client_id: UUID


# What became of a draft. The exceptions are for its author alone.
Outcome = Message | ValidationError | Room.DoesNotExist


def post_drafts(drafts: Sequence[Draft]) -> list[Outcome]:
    """Return the outcome of each draft; one whose client_id is known is not stored."""
    outcomes: dict[Draft, Outcome] = {}
    for draft in dict.fromkeys(drafts):
        try:
            check_flood(draft.author.pk)
        except Flood as flood:
            outcomes[draft] = flood
    accepted = [draft for draft in dict.fromkeys(drafts) if draft not in outcomes]
    try:
        outcomes |= store(accepted)
    except IntegrityError:
        # Which one is there already shows when each has a transaction of its own.
        outcomes |= {draft: store_or_find(draft) for draft in accepted}
    return [outcomes[draft] for draft in drafts]


# In a thread of its own: a commit holds up nobody's query.
posting = Batcher(database_sync_to_async(post_drafts, thread_sensitive=False))


def store(drafts: Sequence[Draft]) -> dict[Draft, Outcome]:
    """Store all drafts or none. Django sends no signal for these messages.

    Raises IntegrityError where one is there already, or its author is not any more.
    """
    outcomes: dict[Draft, Outcome] = {}
    with transaction.atomic():
        # Processes that lock several rooms do it in the same order.
        by_room = sorted(drafts, key=lambda draft: draft.room.pk)
        for _, group in groupby(by_room, key=lambda draft: draft.room.pk):
            outcomes |= number(list(group))
        messages = [one for one in outcomes.values() if isinstance(one, Message)]
        Message.objects.bulk_create(messages)
        transaction.on_commit(partial(publish_messages, messages))
    return outcomes


def number(drafts: Sequence[Draft]) -> dict[Draft, Outcome]:
    """Give drafts of one room their numbers, and lock the room until the commit."""
    counted = Room(pk=drafts[0].room.pk, last_number=F("last_number") + len(drafts))
    try:
        counted.save(update_fields=["last_number"])
    except Room.NotUpdated:
        return dict.fromkeys(drafts, Room.DoesNotExist("The room was deleted."))
    first = counted.last_number - len(drafts) + 1
    return {
        draft: Message(number=number, **draft._asdict())
        for number, draft in enumerate(drafts, first)
    }


def store_or_find(draft: Draft) -> Outcome:
    try:
        return store([draft])[draft]
    except IntegrityError:
        found = Message.objects.filter(
            room=draft.room, author=draft.author, client_id=draft.client_id
        )
        return found.first() or ValidationError("Your account is no more.")


def publish_messages(messages: Sequence[Message]) -> None:
    for group, some in groupby(messages, key=lambda message: message.room.group):
        publish_all(group, [Fragment(render_message(m), m.number) for m in some])
