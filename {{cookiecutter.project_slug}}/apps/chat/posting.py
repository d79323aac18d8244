"""Stores messages, many in one transaction, and publishes them on commit."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.chat.batch import Batcher
from apps.chat.flood import check_flood
from apps.chat.metrics import batches
from apps.chat.models import Message, Room
from apps.chat.rendering import render_message
from apps.users.models import User
from channels_live import Fragment, apublish, in_thread


class Draft(NamedTuple):
    """A message that is not stored yet."""

    room: Room
    author: User
    text: str
    client_id: UUID


# What became of a draft. The exceptions are for its author alone.
Outcome = Message | ValidationError | Room.DoesNotExist


def store_drafts(drafts: Sequence[Draft]) -> list[Outcome]:
    """Return the outcome of each draft; one whose client_id is known is not stored.

    All of them are for one room.
    """
    outcomes: dict[Draft, Outcome] = {}
    for draft in dict.fromkeys(drafts):
        try:
            check_flood(draft.author.pk)
            check_membership(draft)
        except ValidationError as error:
            outcomes[draft] = error
    accepted = [draft for draft in dict.fromkeys(drafts) if draft not in outcomes]
    try:
        outcomes |= store(accepted)
    except IntegrityError:
        # Which one is there already shows when each has a transaction of its own.
        outcomes |= {draft: store_or_find(draft) for draft in accepted}
    except Room.DoesNotExist as error:
        outcomes |= dict.fromkeys(accepted, error)
    return [outcomes[draft] for draft in drafts]


def check_membership(draft: Draft) -> None:
    if not draft.room.admits(draft.author):
        raise ValidationError(_("Only members of this room may write in it."))


def store(drafts: Sequence[Draft]) -> dict[Draft, Outcome]:
    """Store all drafts or none. Django sends no signal for these messages.

    Raises IntegrityError where one is there already, or its author is not any more;
    Room.DoesNotExist where the room is not.
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
    """Return the first of as many new numbers, and lock the room until the commit."""
    counted = Room(pk=room.pk, last_number=F("last_number") + count)
    try:
        counted.save(update_fields=["last_number"])
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


@in_thread
def store_and_render(
    drafts: Sequence[Draft],
) -> tuple[list[Outcome], list[Fragment]]:
    outcomes = store_drafts(drafts)
    messages = [outcome for outcome in outcomes if isinstance(outcome, Message)]
    return outcomes, [Fragment(render_message(one), one.number) for one in messages]


async def post_drafts(drafts: Sequence[Draft]) -> list[Outcome]:
    outcomes, fragments = await store_and_render(drafts)
    if fragments:
        await apublish(drafts[0].room.group, *fragments)
    return outcomes


posting = Batcher(post_drafts)
