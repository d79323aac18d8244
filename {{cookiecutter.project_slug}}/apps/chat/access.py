"""Who may enter a room by its WebSocket, and who may stay in it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import OuterRef, Subquery

from apps.chat.models import Message, Room
from apps.users.models import User
from channels_live import CloseCode, Refused, in_thread


@in_thread
def get_room(
    slug: str,
    user: User | AnonymousUser,
    after: int | None = None,
    client_id: UUID | None = None,
) -> Room:
    """Return the room of a slug. Raise Refused if the user may not enter it.

    `after` and `client_id` are those of the last message on the page. A database that
    lost its last commits may have another one with that number, or none.
    """
    if not user.is_authenticated:
        raise Refused(CloseCode.NOT_LOGGED_IN)
    known = Message.objects.filter(room=OuterRef("pk"), number=after or 0)
    rooms = Room.objects.with_slug(slug).visible_to(user)
    room = rooms.annotate(known=Subquery(known.values("client_id"))).first()
    if room is None:  # or private: who is no member does not learn that it exists
        raise Refused(CloseCode.NOT_FOUND)
    is_other = client_id and room.known and client_id != room.known
    if is_other or (after or 0) > room.last_number:
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
