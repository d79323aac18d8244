"""Stores messages, many in one transaction, and publishes them on commit."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from apps.chat.flood import Flood, check_flood
from apps.chat.models import Message, Room
from apps.chat.rendering import render_message
from apps.realtime.batch import Batcher
from apps.realtime.history import Fragment
from apps.realtime.publish import apublish_all
from apps.realtime.threads import in_thread
from apps.users.models import User


class Draft(NamedTuple):
    """A message that is not stored yet."""

    room: Room
    author: User
    text: str
    client_id: UUID


# What became of a draft. The exceptions are for its author alone.
Outcome = Message | ValidationError | Room.DoesNotExist


def store_drafts(drafts: Sequence[Draft]) -> list[Outcome]:
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
        Message.objects.bulk_create(messages_of(outcomes.values()))
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


def messages_of(outcomes: Iterable[Outcome]) -> list[Message]:
    return [outcome for outcome in outcomes if isinstance(outcome, Message)]


def render_fragments(messages: Iterable[Message]) -> dict[str, list[Fragment]]:
    """Return what is to be published, by group."""
    fragments: dict[str, list[Fragment]] = {}
    for message in messages:
        fragment = Fragment(render_message(message), message.number)
        fragments.setdefault(message.room.group, []).append(fragment)
    return fragments


@in_thread
def store_and_render(
    drafts: Sequence[Draft],
) -> tuple[list[Outcome], dict[str, list[Fragment]]]:
    outcomes = store_drafts(drafts)
    return outcomes, render_fragments(messages_of(outcomes))


async def post_drafts(drafts: Sequence[Draft]) -> list[Outcome]:
    outcomes, fragments = await store_and_render(drafts)
    await asyncio.gather(*(apublish_all(*item) for item in fragments.items()))
    return outcomes


posting = Batcher(post_drafts)
