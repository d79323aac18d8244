"""The history of rooms, from which reconnecting sockets catch up."""

from collections.abc import Collection
from typing import Any

from django.db.models import F

from apps.chat.models import Change, Message, Room
from apps.chat.rendering import render_entry, render_skipped
from channels_live import Fragment, in_thread, key_of


class RoomHistory:
    """A channels_live.History: where numbered fragments are read again."""

    @in_thread
    def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        rooms = Room.objects.filter(pk__in=[room_pk(group) for group in groups])
        return {room.group: room.last_number for room in rooms.only("last_number")}

    @in_thread
    def load(self, group: str, after: int, limit: int) -> list[Fragment]:
        of_room = {"room": room_pk(group)}
        messages = Message.objects.filter(**of_room, number__gt=after).order_by()
        changes = Change.objects.filter(**of_room, number__gt=after)
        # One query for both, or what is stored between two would be missed.
        numbers = messages.values_list("number", F("number")).union(
            changes.values_list("number", "message_number"), all=True
        )
        entries = list(numbers.order_by("number")[:limit])
        shown = Message.objects.filter(
            **of_room, number__in={message_number for _, message_number in entries}
        )
        found = {one.number: one for one in shown.select_related("author")}
        return [
            Fragment(render_entry(number, of, found.get(of)), number)
            for number, of in entries
        ]

    def skipped(self, group: str, after: int, until: int) -> str:
        return render_skipped(until - after, until)


def room_pk(group: str) -> Any:
    """Return the primary key in the name of a group: see Room.group."""
    return Room._meta.pk.to_python(key_of(group))


room_history = RoomHistory()
