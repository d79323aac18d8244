"""Tells the pages of a room what was changed behind their backs, as in the admin."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from apps.chat.models import Message, Room
from apps.chat.rendering import render_removal
from channels_live import CloseCode, disconnect, history_changed, publish


@receiver(post_delete, sender=Room)
def on_room_deleted(instance: Room, **kwargs: Any) -> None:
    transaction.on_commit(
        partial(disconnect, group=instance.group, code=CloseCode.NOT_FOUND)
    )


@receiver(post_save, sender=Room)
def on_room_changed(instance: Room, update_fields: Any = None, **kwargs: Any) -> None:
    if instance.is_private and (not update_fields or "is_private" in update_fields):
        # Whoever may stay is back at once.
        transaction.on_commit(
            partial(disconnect, group=instance.group, code=CloseCode.SERVICE_RESTART)
        )


@receiver(m2m_changed, sender=Room.members.through)
def on_members_changed(
    instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **kwargs: Any
) -> None:
    if action == "pre_clear":
        related = instance.private_rooms if reverse else instance.members
        pk_set = set(related.values_list("pk", flat=True))
    elif action != "post_remove":
        return
    for pk in pk_set or ():
        room, user = (Room(pk=pk), instance.pk) if reverse else (instance, pk)
        transaction.on_commit(
            partial(disconnect, group=room.group, user=user, code=CloseCode.NOT_ALLOWED)
        )


@receiver(post_save, sender=Message)
def on_message_changed(instance: Message, **kwargs: Any) -> None:
    transaction.on_commit(partial(history_changed, instance.room.group))


@receiver(post_delete, sender=Message)
def on_message_deleted(instance: Message, origin: Any = None, **kwargs: Any) -> None:
    if getattr(origin, "model", type(origin)) is not Message:
        return  # the room itself was deleted
    group = instance.room.group
    transaction.on_commit(partial(history_changed, group))
    transaction.on_commit(partial(publish, group, render_removal(instance)))
