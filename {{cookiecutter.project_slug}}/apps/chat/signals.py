"""Tell open pages of changes that are made elsewhere, as in the admin."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from apps.chat.models import Message, Room
from apps.chat.rendering import render_removal
from apps.users.models import User
from channels_live import CloseCode, disconnect, history_changed, publish


@receiver(post_delete, sender=Room)
def room_deleted(instance: Room, **kwargs: object) -> None:
    """Close all sockets of the room."""
    on_commit(disconnect, group=instance.group, code=CloseCode.NOT_FOUND)


@receiver(post_save, sender=Room)
def room_saved(
    instance: Room, update_fields: Collection[str] | None = None, **kwargs: object
) -> None:
    """Close all sockets of a private room: its members may come back at once."""
    if instance.is_private and (not update_fields or "is_private" in update_fields):
        on_commit(disconnect, group=instance.group, code=CloseCode.SERVICE_RESTART)


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
        on_commit(disconnect, group=group, user=user, code=CloseCode.NOT_ALLOWED)


@receiver(post_save, sender=Message)
def message_saved(instance: Message, **kwargs: object) -> None:
    """Show the new text to pages that come back."""
    on_commit(history_changed, instance.room.group)


@receiver(post_delete, sender=Message)
def message_deleted(
    instance: Message, origin: Model | QuerySet[Model] | None = None, **kwargs: object
) -> None:
    """Take the message off all pages, unless they close with their room."""
    if getattr(origin, "model", type(origin)) is Message:
        on_commit(history_changed, instance.room.group)
        on_commit(publish, instance.room.group, render_removal(instance))


def on_commit(function: Callable[..., None], *args: object, **kwargs: object) -> None:
    transaction.on_commit(partial(function, *args, **kwargs))
