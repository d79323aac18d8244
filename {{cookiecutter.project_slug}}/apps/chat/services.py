"""What the chat does, whoever asks: the consumer, a view, a command or a task."""

from functools import partial
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from apps.chat.flood import check_rooms
from apps.chat.metrics import post_seconds
from apps.chat.models import MAX_MESSAGE, Message, Room
from apps.chat.posting import Draft, Outcome, posting, store_drafts
from apps.chat.rendering import render_message
from apps.users.models import User
from channels_live import Fragment, publish


def post_message(
    room: Room, author: User, text: str, *, client_id: UUID | None = None
) -> Message:
    """Store a message, and show it to everyone in the room on commit.

    However often a message comes with the same `client_id`, it is stored once: the
    message that is there already is returned.

    Raises ValidationError, with a sentence for the author, where the text is no good,
    and its subclass Flood where there is too much of it; Room.DoesNotExist where the
    room was deleted meanwhile. Not for within a long transaction: the room is locked
    until its end.
    """
    draft = Draft(room, author, clean_text(text), client_id or uuid4())
    message = message_or_raise(*store_drafts([draft]))
    transaction.on_commit(partial(publish_message, message))
    return message


async def apost_message(
    room: Room, author: User, text: str, *, client_id: UUID | None = None
) -> Message:
    """Do what post_message() does; under load, many share one transaction."""
    draft = Draft(room, author, clean_text(text), client_id or uuid4())
    with post_seconds.time():
        outcome = await posting.submit(room.pk, draft)
    return message_or_raise(outcome)


def message_or_raise(outcome: Outcome) -> Message:
    if isinstance(outcome, Message):
        return outcome
    raise outcome


def publish_message(message: Message) -> None:
    publish(message.room.group, Fragment(render_message(message), message.number))


def clean_text(text: str) -> str:
    """Return the text as it is stored. Raises ValidationError."""
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


def enter_room(user: User, name: str, *, is_private: bool = False) -> Room:
    """Return the room of that name, made now if need be.

    Raises ValidationError where a room cannot have that name, or where it is a
    private room of others; its subclass Flood where the user has made too many.
    """
    name = " ".join(name.replace("\0", "").split())
    slug = slugify(name, allow_unicode=True)
    if not slug:
        raise ValidationError(_("A room's name needs a letter or a digit."))
    room = Room(name=name, slug=slug, creator=user, is_private=is_private)
    room.clean_fields(exclude=["creator"])
    if not Room.objects.filter(slug=slug).exists():
        check_rooms(user.pk)
    room, is_new = Room.objects.get_or_create(
        slug=slug,
        defaults={"name": name, "creator": user, "is_private": is_private},
    )
    if is_new and is_private:
        room.members.add(user)
    if not room.admits(user):
        raise ValidationError(_("This room is private. Ask its creator to add you."))
    return room


def add_member(room: Room, username: str) -> None:
    """Let someone into a private room. Raises ValidationError."""
    room.members.add(find_user(username))


def remove_member(room: Room, username: str) -> None:
    """Put someone out of a private room, at once. Raises ValidationError."""
    user = find_user(username)
    if user == room.creator:
        raise ValidationError(_("The creator of a room stays in it."))
    room.members.remove(user)


def find_user(username: str) -> User:
    if len(username) > 150:
        raise ValidationError(_("Nobody has a name that long."))
    username = username.replace("\0", "�").strip()  # no name has one
    user = User.objects.filter(username=username).first()
    if user is None:
        raise ValidationError(
            _("There is nobody called “%(name)s”."), params={"name": username}
        )
    return user
