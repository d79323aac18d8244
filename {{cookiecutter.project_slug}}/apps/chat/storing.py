"""Number the messages of a room and store them, many in one transaction."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _
from prometheus_client import Histogram

from apps.chat.flood import check_messages
from apps.chat.models import Message, Room
from apps.users.models import User

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


# What became of a draft.
Outcome = Message | ValidationError | Room.DoesNotExist


def store_drafts(drafts: Sequence[Draft]) -> list[Outcome]:
    """Store drafts of one room. Return the outcome of each.

    If a client_id is stored already, the outcome is the stored message.
    """
    unique = dict.fromkeys(drafts)
    outcomes: dict[Draft, Outcome] = {}
    for draft in unique:
        try:
            check(draft)
        except ValidationError as error:
            outcomes[draft] = error
    accepted = [draft for draft in unique if draft not in outcomes]
    try:
        outcomes |= store(accepted)
    except IntegrityError:
        # One at a time, to find out which one is stored already.
        outcomes |= {draft: store_or_find(draft) for draft in accepted}
    except Room.DoesNotExist as error:
        outcomes |= dict.fromkeys(accepted, error)
    return [outcomes[draft] for draft in drafts]


def check(draft: Draft) -> None:
    """Raise ValidationError if the author may not post this now."""
    check_messages(draft.author.pk)
    if not draft.room.admits(draft.author):
        raise ValidationError(_("Only members of this room may write in it."))


def store(drafts: Sequence[Draft]) -> dict[Draft, Outcome]:
    """Store all drafts or none, with two queries. Send no post_save signal.

    Raise IntegrityError if one is stored already or its author is deleted, and
    Room.DoesNotExist if the room is deleted.
    """
    if not drafts:
        return {}
    with transaction.atomic():
        first = count_up(drafts[0].room, len(drafts))
        messages = [
            Message(number=number, **draft._asdict())
            for number, draft in enumerate(drafts, first)
        ]
        Message.objects.bulk_create(messages)
    batches.observe(len(messages))
    return dict(zip(drafts, messages, strict=True))


def count_up(room: Room, count: int) -> int:
    """Reserve numbers and return the first. Lock the room until the commit."""
    counted = Room(pk=room.pk, last_number=F("last_number") + count)
    try:
        counted.save(force_update=True, update_fields=["last_number"])
    except Room.NotUpdated:
        raise Room.DoesNotExist("The room was deleted.") from None
    return counted.last_number - count + 1


def store_or_find(draft: Draft) -> Outcome:
    try:
        return store([draft])[draft]
    except IntegrityError:
        found = Message.objects.filter(
            room=draft.room, author=draft.author, client_id=draft.client_id
        )
        return found.first() or ValidationError(_("Your account is no more."))
