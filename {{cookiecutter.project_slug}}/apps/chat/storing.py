"""Store messages, and find out what became of each."""

from collections.abc import Collection
from uuid import uuid5

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError
from django.utils.translation import gettext_lazy as _

from apps.chat.access import find_revoked
from apps.chat.insert import Draft, insert_drafts
from apps.chat.models import Message, Room
from apps.users.models import User
from channels_live import CloseCode

# PostgreSQL's lock_not_available and deadlock_detected.
LOCKED = {"55P03", "40P01"}


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
    if not drafts:
        return {}
    try:
        messages = insert_drafts(drafts, patience)
        return messages | find_reasons(set(drafts) - messages.keys())
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) not in LOCKED:
            raise
        return dict.fromkeys(drafts, Busy())
    except IntegrityError:
        found = find_stored(drafts)
        if not found and len(drafts) == 1:
            (draft,) = drafts
            if User.objects.filter(pk=draft.author.pk).exists():
                raise
            return {draft: ValidationError(_("Your account is no more."))}
    rest = [draft for draft in drafts if draft not in found]
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
    return {one: by_key[one.key] for one in drafts if one.key in by_key}


def find_reasons(drafts: Collection[Draft]) -> dict[Draft, Outcome]:
    """Return why drafts were not inserted: Busy if nothing else speaks against it."""
    if not drafts:
        return {}
    pairs = {one: (one.room.pk, one.author.pk) for one in drafts}
    codes = find_revoked(set(pairs.values()))
    reasons: dict[int | None, Outcome] = {
        None: Busy(),
        CloseCode.NOT_FOUND: Room.DoesNotExist("The room was deleted."),
        CloseCode.NOT_ALLOWED: ValidationError(
            _("Only members of this room may write in it.")
        ),
    }
    return {one: reasons[codes.get(pair)] for one, pair in pairs.items()}
