"""What becomes of open pages, and of posts, when rows are changed elsewhere."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.dispatch import receiver

from apps.chat.models import Message, Room
from apps.chat.rendering import render_entry
from apps.users.models import User
from channels_live import CloseCode, Fragment, disconnect, history_changed, publish


@receiver(pre_delete, sender=Room)
@receiver(pre_delete, sender=User)
def lock(instance: Room | User, using: str, **kwargs: object) -> None:
    """Have posts wait: those stored meanwhile would refer to what is deleted."""
    model: Any = type(instance)
    rows = model._base_manager.using(using).filter(pk=instance.pk)
    rows.select_for_update().first()


@receiver(post_delete, sender=Room)
def room_deleted(instance: Room, **kwargs: object) -> None:
    """Close all sockets of the room."""
    disconnect(group=instance.group, code=CloseCode.NOT_FOUND)


@receiver(post_save, sender=Room)
def room_saved(
    instance: Room,
    created: bool,
    update_fields: Collection[str] | None = None,
    **kwargs: object,
) -> None:
    """Close all sockets of a private room: its members may come back at once."""
    is_concerned = not created and "is_private" in (update_fields or ["is_private"])
    if instance.is_private and is_concerned:
        disconnect(group=instance.group, code=CloseCode.SERVICE_RESTART)


@receiver(m2m_changed, sender=Room.members.through)
def members_changed(
    instance: Room | User, action: str, pk_set: set[Any] | None, **kwargs: object
) -> None:
    """Close the sockets of removed members, whichever side they are removed from."""
    if action == "pre_clear":  # post_clear names nobody
        others = (
            instance.members if isinstance(instance, Room) else instance.private_rooms
        )
        pk_set = {other.pk for other in others.all()}
    elif action != "post_remove":
        return
    for pk in pk_set or ():
        if isinstance(instance, Room):
            group, user = instance.group, pk
        else:
            group, user = Room(pk=pk).group, instance.pk
        disconnect(group=group, user=user, code=CloseCode.NOT_ALLOWED)


@receiver(post_save, sender=Message)
def message_saved(instance: Message, created: bool, **kwargs: object) -> None:
    """Show the new text on all pages."""
    if not created:
        record_change(instance, instance)


@receiver(post_delete, sender=Message)
def message_deleted(instance: Message, **kwargs: object) -> None:
    """Take the message off all pages. With their room they go without a signal."""
    record_change(instance, None)


def record_change(message: Message, present: Message | None) -> None:
    """Give a change of a message the next number of its room, and tell its pages."""
    with transaction.atomic(savepoint=False):
        rooms = Room.objects.filter(pk=message.room_id)
        rooms.update(last_number=F("last_number") + 1)
        room = rooms.get()
        number = room.last_number
        room.changes.create(number=number, message_number=message.number)
        history_changed(room.group)
    fragment = Fragment(render_entry(number, message.number, present), number)
    on_commit(publish, room.group, fragment)


def on_commit(function: Callable[..., None], *args: object) -> None:
    transaction.on_commit(partial(function, *args))
