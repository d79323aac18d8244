"""Number the messages of a room and store them, many in one transaction."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

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


class Outsiders(Exception):
    """Raised where authors are no members of a private room."""

    def __init__(self, authors: set[User]) -> None:
        super().__init__(authors)
        self.authors = authors


def store_drafts(drafts: Sequence[Draft]) -> list[Outcome]:
    """Store drafts of one room. Return the outcome of each.

    If a client_id is stored already, the outcome is the stored message.
    """
    unique = dict.fromkeys(drafts)
    outcomes: dict[Draft, Outcome] = {}
    for draft in unique:
        try:
            check_messages(draft.author.pk)
        except ValidationError as error:
            outcomes[draft] = error
    outcomes |= settle([draft for draft in unique if draft not in outcomes])
    return [outcomes[draft] for draft in drafts]


def settle(drafts: Sequence[Draft]) -> dict[Draft, Outcome]:
    """Store what can be stored, and say of the rest why it cannot."""
    try:
        return store(drafts)
    except Room.DoesNotExist as error:
        return dict.fromkeys(drafts, error)
    except Outsiders as error:
        refused = ValidationError(_("Only members of this room may write in it."))
        outsiders = [draft for draft in drafts if draft.author in error.authors]
        members = [draft for draft in drafts if draft.author not in error.authors]
        return {**dict.fromkeys(outsiders, refused), **settle(members)}
    except IntegrityError:
        if len(drafts) == 1:
            return {drafts[0]: find(drafts[0])}
        # One at a time, to find out which one is stored already.
        settled = [settle([draft]) for draft in drafts]
        return {draft: outcome for one in settled for draft, outcome in one.items()}


def store(drafts: Sequence[Draft]) -> dict[Draft, Outcome]:
    """Store all drafts or none, with two queries. Send no post_save signal.

    Raise IntegrityError if one is stored already or its author is deleted,
    Room.DoesNotExist if the room is deleted, and Outsiders if it is private.
    """
    if not drafts:
        return {}
    with transaction.atomic():
        room = count_up(drafts[0].room, len(drafts))
        refuse_outsiders(room, {draft.author for draft in drafts})
        messages = [
            Message(number=number, **draft._asdict())
            for number, draft in enumerate(drafts, room.last_number - len(drafts) + 1)
        ]
        Message.objects.bulk_create(messages)
    batches.observe(len(messages))
    return dict(zip(drafts, messages, strict=True))


def count_up(room: Room, count: int) -> Room:
    """Reserve numbers, and lock the room until the commit.

    Return it as it is now: whoever posts may have known it for hours.
    """
    counted = Room(
        pk=room.pk,
        last_number=F("last_number") + count,
        is_private=F("is_private"),
    )
    try:
        fields = ["last_number", "is_private"]
        counted.save(force_update=True, update_fields=fields)
    except Room.NotUpdated:
        raise Room.DoesNotExist("The room was deleted.") from None
    return counted


def refuse_outsiders(room: Room, authors: set[User]) -> None:
    """Raise Outsiders where a private room does not admit all of the authors."""
    if room.is_private:
        members = room.members.filter(pk__in=[author.pk for author in authors])
        if outsiders := authors.difference(members):
            raise Outsiders(outsiders)


def find(draft: Draft) -> Outcome:
    """Return what is stored in the place of a draft, or store it beside that."""
    found = Message.objects.filter(
        room=draft.room, author=draft.author, client_id=draft.client_id
    ).first()
    if found is None:
        return ValidationError(_("Your account is no more."))
    if found.text == draft.text:
        return found
    # A form was sent, went back, and says something else now. Sent a third time it is
    # the same message.
    other = draft._replace(client_id=uuid5(draft.client_id, draft.text))
    return settle([other])[other]
