"""Who may enter a room by its WebSocket, and who may stay in it."""

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q

from apps.chat.models import Change, Message, Room
from apps.users.models import User
from channels_live import CloseCode, Refused, in_thread

# A page that missed more is told of the rest, and not sent it: see channels_live.
CATCH_UP = 300


class Shown(NamedTuple):
    """What a page shows that comes back: the changes of its room up to number `after`.

    Its last message has the number `number` and the id `client_id`.
    """

    after: int | None = None
    number: int = 0
    client_id: UUID | None = None


@in_thread
def get_room(
    slug: str,
    user: User | AnonymousUser,
    shown: Shown,
) -> Room:
    """Return the room of a slug. Raise Refused if the user may not enter it.

    A database that lost its last commits may have another message than the page.
    """
    if not user.is_authenticated:
        raise Refused(CloseCode.NOT_LOGGED_IN)
    after = shown.after or 0
    messages = Message.objects.filter(room=OuterRef("pk"), number__lte=after)
    others = messages.filter(~Q(client_id=shown.client_id), number__gte=shown.number)
    changes = Change.objects.filter(room=OuterRef("pk"), number__gt=after)
    skipped = changes.filter(number__lte=OuterRef("last_number") - CATCH_UP)
    rooms = Room.objects.with_slug(slug).visible_to(user)
    rooms = rooms.annotate(has_others=Exists(others), has_skipped=Exists(skipped))
    room = rooms.first()
    if room is None:  # or private: who is no member does not learn that it exists
        raise Refused(CloseCode.NOT_FOUND)
    is_other = shown.client_id is not None and room.has_others
    is_behind = shown.after is not None and room.has_skipped
    if is_other or is_behind or after > room.last_number:
        raise Refused(CloseCode.OUTDATED)
    return room


type Pair = tuple[Any, Any]  # the primary keys of a room and a user


def find_revoked(pairs: Collection[Pair]) -> dict[Pair, int]:
    """Return the pairs of room and user that may not stay together, and why."""
    rooms = Room.objects.in_bulk({room for room, _ in pairs})
    private = {room.pk for room in rooms.values() if room.is_private}
    memberships = Room.members.through.objects.filter(room__in=private)
    members = set(memberships.values_list("room_id", "user_id"))
    codes: dict[Pair, int] = {}
    for room, user in pairs:
        if room not in rooms:
            codes[room, user] = CloseCode.NOT_FOUND
        elif room in private and (room, user) not in members:
            codes[room, user] = CloseCode.NOT_ALLOWED
    return codes
