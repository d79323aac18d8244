"""Post a message: store it, then show it to everyone in the room."""

import asyncio
import logging
import re
import time
from collections import defaultdict
from collections.abc import Collection
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from prometheus_client import Histogram

from apps.chat.batch import Batcher
from apps.chat.flood import check_messages, find_floods
from apps.chat.insert import PATIENCE, Draft
from apps.chat.models import MAX_MESSAGE, Message, Room
from apps.chat.rendering import render_message
from apps.chat.storing import Busy, Outcome, store_drafts
from apps.users.models import User
from channels_live import Fragment, in_thread, publish

logger = logging.getLogger(__name__)

# NUL, and halves of characters.
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")

type Drafts = tuple[Draft, ...]  # of one room and author

# For how long a room that somebody locks is tried, and from one try to the next, in
# seconds.
LIMIT = 5
PAUSE, MAX_PAUSE = 0.05, 0.5

post_seconds = Histogram(
    "chat_post_seconds",
    "From reading a message until it is stored and published, or refused.",
)


def post_message(
    room: Room,
    author: User,
    text: str,
    *,
    client_id: UUID | None = None,
    patience: int | None = None,
) -> Message:
    """Store a message, and show it to everyone in the room on commit.

    Posting the same client_id again stores nothing and returns the stored message.
    With `patience`, the transaction waits for no lock longer than that, in milliseconds.

    Raise ValidationError, with a sentence for the author, if the text cannot be posted;
    Flood, a subclass, if the author posts too much, and Busy, another, if somebody else
    locks the room for too long; Room.DoesNotExist if the room was deleted. The room is
    locked until the end of the transaction: keep it short.
    """
    draft = Draft(room, author, clean_text(text), client_id or uuid4())
    check_messages(author.pk)
    (outcome,) = store_drafts([draft], patience).values()
    if isinstance(outcome, Exception):
        raise outcome
    transaction.on_commit(partial(publish, room.group, make_fragment(outcome)))
    return outcome


async def apost_message(
    room: Room, author: User, text: str, *, client_id: UUID | None = None
) -> Message:
    """Do the same from async code. Messages that come together share a transaction."""
    draft = Draft(room, author, clean_text(text), client_id or uuid4())
    with post_seconds.time():
        try:
            return await posting.submit(None, draft)
        except Busy:
            return await waiting.submit(room.pk, draft)


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
    if UNSTORABLE.search(text):
        raise ValidationError(_("This message has characters that cannot be stored."))
    return text


def make_fragment(message: Message) -> Fragment:
    return Fragment(render_message(message), message.number)


@in_thread
def post_drafts(drafts: Collection[Draft]) -> dict[Draft, Outcome]:
    """Post drafts, of any rooms. Those of locked rooms are Busy."""
    floods = find_floods(*(draft.author.pk for draft in drafts))
    refused = {one: flood for one, flood in zip(drafts, floods, strict=True) if flood}
    return refused | publish_stored([one for one in drafts if one not in refused], 0)


async def post_busy(drafts: Collection[Draft]) -> dict[Draft, Outcome]:
    """Post drafts of one room that somebody locks, trying for LIMIT seconds."""
    outcomes: dict[Draft, Outcome] = {}
    busy, pause = tuple(drafts), PAUSE
    deadline = time.monotonic() + LIMIT
    while True:
        # What is locked may be one of the authors.
        by_author = defaultdict[Any, Drafts](tuple)
        for draft in busy:
            by_author[draft.author.pk] += (draft,)
        tries = (trying.submit(None, some) for some in by_author.values())
        for some_outcomes in await asyncio.gather(*tries):
            outcomes |= some_outcomes
        busy = tuple(one for one in drafts if isinstance(outcomes[one], Busy))
        if not busy or time.monotonic() > deadline:
            break
        await asyncio.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE)
    if busy:
        logger.warning(
            "The room %s is locked: %d posts wait.", busy[0].room.pk, len(busy)
        )
    return outcomes


@in_thread
def try_each(posts: Collection[Drafts]) -> dict[Drafts, dict[Draft, Outcome]]:
    """Try posts that a lock holds up, one after the other. They share PATIENCE."""
    patience = max(1, PATIENCE // len(posts))
    return {drafts: publish_stored(drafts, patience) for drafts in posts}


def publish_stored(drafts: Collection[Draft], patience: int) -> dict[Draft, Outcome]:
    """Store drafts, and publish those that became messages: once in each room."""
    outcomes = store_drafts(drafts, patience)
    stored = defaultdict[str, list[Message]](list)
    for outcome in outcomes.values():
        if isinstance(outcome, Message):
            stored[outcome.room.group].append(outcome)
    for group, messages in stored.items():
        publish(group, *map(make_fragment, messages))
    return outcomes


# One transaction after the other stores what came meanwhile. Rooms that somebody locks
# wait beside it, each on its own, and take turns with one thread.
posting = Batcher(post_drafts)
waiting = Batcher(post_busy)
trying = Batcher(try_each)
