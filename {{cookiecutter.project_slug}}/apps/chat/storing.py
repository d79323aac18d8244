"""Number the messages of a room and store them, many in one transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _
from prometheus_client import Histogram

from apps.chat.flood import check_messages
from apps.chat.models import Message, Room
from apps.users.models import User

# PostgreSQL's lock_not_available.
LOCKED = "55P03"
COUNT_UP = (
    "UPDATE chat_room SET last_number = last_number + %s "
    "WHERE id = %s {limit} RETURNING last_number, is_private"
)
# Until the commit, so that it holds for the rows that messages refer to as well.
LIMIT = "AND set_config('lock_timeout', '{patience}ms', true) IS NOT NULL"

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


class Busy(ValidationError):
    """Raised when somebody else locks the room, or whatever a message refers to."""


# What became of a draft.
Outcome = Message | ValidationError | Room.DoesNotExist


class Outsiders(Exception):
    """Raised where authors are no members of a private room."""

    def __init__(self, authors: set[User]) -> None:
        super().__init__(authors)
        self.authors = authors


def store_drafts(
    drafts: Sequence[Draft], *, patience: int | None = None, is_retry: bool = False
) -> list[Outcome]:
    """Store drafts of one room. Return the outcome of each.

    If a client_id is stored already, the outcome is the stored message. A lock is
    waited for as long as `patience`, in milliseconds, or else as the connection says.
    A retry is not counted as another message.
    """
    unique = dict.fromkeys(drafts)
    outcomes: dict[Draft, Outcome] = {}
    for draft in unique:
        try:
            if not is_retry:
                check_messages(draft.author.pk)
        except ValidationError as error:
            outcomes[draft] = error
    accepted = [draft for draft in unique if draft not in outcomes]
    outcomes |= settle(accepted, patience)
    return [outcomes[draft] for draft in drafts]


def settle(drafts: Sequence[Draft], patience: int | None) -> dict[Draft, Outcome]:
    """Store what can be stored, and say of the rest why it cannot."""
    try:
        return store(drafts, patience)
    except (Room.DoesNotExist, Busy) as error:
        return dict.fromkeys(drafts, error)
    except Outsiders as error:
        refused = ValidationError(_("Only members of this room may write in it."))
        outsiders = [draft for draft in drafts if draft.author in error.authors]
        members = [draft for draft in drafts if draft.author not in error.authors]
        return {**dict.fromkeys(outsiders, refused), **settle(members, patience)}
    except IntegrityError:
        if len(drafts) == 1:
            return {drafts[0]: find(drafts[0], patience)}
        # One at a time, to find out which one is stored already.
        settled = [settle([draft], patience) for draft in drafts]
        return {draft: outcome for one in settled for draft, outcome in one.items()}


def store(drafts: Sequence[Draft], patience: int | None) -> dict[Draft, Outcome]:
    """Store all drafts or none, with two queries. Send no post_save signal.

    Raise IntegrityError if one is stored already or its author is deleted,
    Room.DoesNotExist if the room is deleted, Outsiders if it is private, and Busy.
    """
    if not drafts:
        return {}
    with busy_noticed(), transaction.atomic():
        room = count_up(drafts[0].room, len(drafts), patience)
        refuse_outsiders(room, {draft.author for draft in drafts})
        messages = [
            Message(number=number, **draft._asdict())
            for number, draft in enumerate(drafts, room.last_number - len(drafts) + 1)
        ]
        Message.objects.bulk_create(messages)
    batches.observe(len(messages))
    return dict(zip(drafts, messages, strict=True))


def count_up(room: Room, count: int, patience: int | None) -> Room:
    """Reserve numbers, and lock the room until the commit.

    Return it as it is now: whoever posts may have known it for hours.
    """
    is_limited = patience is not None and connection.vendor == "postgresql"
    limit = LIMIT.format(patience=patience) if is_limited else ""
    key = Room._meta.pk.get_db_prep_value(room.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_UP.format(limit=limit), [count, key])
        row = cursor.fetchone()
    if row is None:
        raise Room.DoesNotExist("The room was deleted.")
    return Room(pk=room.pk, last_number=row[0], is_private=bool(row[1]))


@contextmanager
def busy_noticed() -> Iterator[None]:
    """Raise Busy in the place of the error of a lock that could not be had in time."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCKED:
            raise
        raise Busy(
            _("This room is locked at the moment. Your message is not stored yet.")
        ) from error


def refuse_outsiders(room: Room, authors: set[User]) -> None:
    """Raise Outsiders where a private room does not admit all of the authors."""
    if room.is_private:
        members = room.members.filter(pk__in=[author.pk for author in authors])
        if outsiders := authors.difference(members):
            raise Outsiders(outsiders)


def find(draft: Draft, patience: int | None) -> Outcome:
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
    return settle([other], patience)[other]
