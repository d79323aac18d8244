"""Post a message: store it, then show it to everyone in the room."""

import asyncio
import logging
import time
from collections.abc import Sequence
from functools import partial
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from prometheus_client import Histogram

from apps.chat.batch import Batcher
from apps.chat.models import MAX_MESSAGE, Message, Room
from apps.chat.rendering import render_message
from apps.chat.storing import Busy, Draft, Outcome, store_drafts
from apps.users.models import User
from channels_live import Fragment, apublish, in_thread, publish

logger = logging.getLogger(__name__)

# For how long a room that somebody locks is tried, and from one try to the next, in
# seconds.
LIMIT = 5
PAUSE, MAX_PAUSE = 0.05, 0.5
# For how long a thread waits for the lock, in milliseconds: at first for that of
# another process which posts too, and then no more.
PATIENCE, RETRY_PATIENCE = 50, 1

post_seconds = Histogram(
    "chat_post_seconds",
    "From reading a message until it is stored and published, or refused.",
)


def post_message(
    room: Room, author: User, text: str, *, client_id: UUID | None = None
) -> Message:
    """Store a message, and show it to everyone in the room on commit.

    Posting the same client_id again stores nothing and returns the stored message.

    Raise ValidationError, with a sentence for the author, if the text cannot be posted;
    Flood, a subclass, if the author posts too much, and Busy, another, if somebody else
    locks the room for too long; Room.DoesNotExist if the room was deleted. The room is locked until the end of the transaction: keep it short.
    """
    draft = Draft(room, author, clean_text(text), client_id or uuid4())
    (outcome,) = store_drafts([draft])
    if isinstance(outcome, Exception):
        raise outcome
    transaction.on_commit(partial(publish_message, outcome))
    return outcome


async def apost_message(
    room: Room, author: User, text: str, *, client_id: UUID | None = None
) -> Message:
    """Do the same from async code. Messages that come together share a transaction."""
    draft = Draft(room, author, clean_text(text), client_id or uuid4())
    with post_seconds.time():
        return await posting.submit(room.pk, draft)


def clean_text(text: str) -> str:
    """Return the text as it is stored. Raise ValidationError."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise ValidationError(_("Write something first: an empty message is not sent."))
    if len(text) > MAX_MESSAGE:
        raise ValidationError(
            _("This message has %(count)s characters; at most %(most)s fit."),
            params={"count": len(text), "most": MAX_MESSAGE},
        )
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValidationError(_("This message has characters that cannot be stored."))
    return text


def publish_message(message: Message) -> None:
    publish(message.room.group, make_fragment(message))


def make_fragment(message: Message) -> Fragment:
    return Fragment(render_message(message), message.number)


async def post_drafts(drafts: Sequence[Draft]) -> list[Outcome]:
    """Store drafts of one room, and publish those that became messages.

    Where somebody locks the room, this tries again for LIMIT seconds: no thread waits,
    so that no other room does.
    """
    room = drafts[0].room
    outcomes: dict[Draft, Outcome] = {}
    waiting, pause = list(drafts), PAUSE
    deadline = time.monotonic() + LIMIT
    while True:
        found, fragments = await store_and_render(waiting, is_retry=bool(outcomes))
        outcomes |= dict(zip(waiting, found, strict=True))
        if fragments:
            await apublish(room.group, *fragments)
        waiting = [draft for draft in drafts if isinstance(outcomes[draft], Busy)]
        if not waiting or time.monotonic() > deadline:
            break
        await asyncio.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE)
    if waiting:
        logger.warning("The room %s is locked: %d posts wait.", room.pk, len(waiting))
    return [outcomes[draft] for draft in drafts]


@in_thread
def store_and_render(
    drafts: Sequence[Draft], *, is_retry: bool
) -> tuple[list[Outcome], list[Fragment]]:
    patience = RETRY_PATIENCE if is_retry else PATIENCE
    outcomes = store_drafts(drafts, patience=patience, is_retry=is_retry)
    messages = [outcome for outcome in outcomes if isinstance(outcome, Message)]
    return outcomes, [make_fragment(message) for message in messages]


posting = Batcher(post_drafts)
