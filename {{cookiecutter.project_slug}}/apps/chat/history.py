"""The messages of rooms, as sockets that come back catch up on them."""

from collections.abc import Collection
from typing import Any

from apps.chat.models import Message, Room
from apps.chat.rendering import render_message, render_skipped
from channels_live import Fragment, in_thread, key_of


class RoomHistory:
    """A channels_live.History: where numbered fragments are read again."""

    @in_thread
    def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        rooms = Room.objects.filter(pk__in=[room_pk(group) for group in groups])
        return {room.group: room.last_number for room in rooms.only("last_number")}

    @in_thread
    def load(self, group: str, after: int, limit: int) -> list[Fragment]:
        messages = Message.objects.filter(room=room_pk(group), number__gt=after)
        return [
            Fragment(render_message(message), message.number)
            for message in messages.select_related("author")[:limit]
        ]

    def skipped(self, group: str, after: int, until: int) -> str:
        return render_skipped(until - after, until)


def room_pk(group: str) -> Any:
    """Return the primary key in the name of a group: see Room.group."""
    return Room._meta.pk.to_python(key_of(group))


room_history = RoomHistory()
