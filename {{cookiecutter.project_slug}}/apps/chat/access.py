"""Who may enter a room by its WebSocket, and who may stay in it."""

from collections.abc import Collection
from copy import copy
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from apps.chat.batch import Batcher
from apps.chat.models import Change, Message, Room
from apps.users.models import User
from channels_live import CATCH_UP, CloseCode, Refused, in_thread


class Shown(NamedTuple):
    """What a reconnecting page shows: the changes of its room up to number `after`.

    Its last message has the number `number` and the id `client_id`.
    """

    after: int | None = None
    number: int = 0
    client_id: UUID | None = None


class Entrance(NamedTuple):
    """A user whose socket opens, and the room."""

    slug: str
    user: Any  # their primary key
    shown: Shown


async def get_room(slug: str, user: User | AnonymousUser, shown: Shown) -> Room:
    """Return the room of a slug. Raise Refused if the user may not enter it."""
    if not user.is_authenticated:
        raise Refused(CloseCode.NOT_LOGGED_IN)
    return await entrances.submit(None, Entrance(slug, user.pk, shown))


@in_thread
def find_rooms(coming: Collection[Entrance]) -> dict[Entrance, Room | Exception]:
    """Return the room of each entrance, or why it is refused."""
    slugs = {one.slug for one in coming if "\0" not in one.slug}
    rooms = {room.slug: room for room in Room.objects.filter(slug__in=slugs)}
    known = [one for one in coming if one.slug in rooms]
    pairs = {(rooms[one.slug].pk, one.user) for one in known}
    revoked = find_outsiders(rooms.values(), pairs)
    # Pages of one room mostly show the same.
    states = {(one.slug, one.shown) for one in known}
    outdated = {state for state in states if is_outdated(rooms[state[0]], state[1])}
    found: dict[Entrance, Room | Exception] = {}
    for one in coming:
        room = rooms.get(one.slug)
        # Users who are not members do not learn that it exists.
        if room is None or (room.pk, one.user) in revoked:
            found[one] = Refused(CloseCode.NOT_FOUND)
        elif (one.slug, one.shown) in outdated:
            found[one] = Refused(CloseCode.OUTDATED)
        else:
            found[one] = copy(room)
    return found


def is_outdated(room: Room, shown: Shown) -> bool:
    """Return whether a page has to reload.

    If the database has lost its last commits, it may have other messages than the page.
    """
    after = shown.after or 0
    oldest = room.last_number - CATCH_UP
    if after > room.last_number:
        return True
    if shown.client_id is not None:
        messages = Message.objects.filter(
            room=room, number__range=(shown.number, after)
        )
        if messages.exclude(client_id=shown.client_id).exists():
            return True
    if shown.after is None or after >= oldest:
        return False
    changes = Change.objects.filter(room=room, number__gt=after, number__lte=oldest)
    return changes.exists()


entrances = Batcher(find_rooms)


type Pair = tuple[Any, Any]  # the primary keys of a room and a user


def find_revoked(pairs: Collection[Pair]) -> dict[Pair, int]:
    """Return the pairs whose user has no access to the room, with close codes."""
    rooms = Room.objects.in_bulk({room for room, _ in pairs})
    outsiders = find_outsiders(rooms.values(), pairs)
    gone = {pair for pair in pairs if pair[0] not in rooms}
    codes: dict[Pair, int] = dict.fromkeys(outsiders, CloseCode.NOT_ALLOWED)
    return codes | dict.fromkeys(gone, CloseCode.NOT_FOUND)


def find_outsiders(rooms: Collection[Room], pairs: Collection[Pair]) -> set[Pair]:
    """Return the pairs whose room, one of these, is private to others."""
    private = {room.pk for room in rooms if room.is_private}
    suspects = {pair for pair in pairs if pair[0] in private}
    if not suspects:
        return suspects
    users = {user for _, user in suspects}
    found = Room.members.through.objects.filter(room__in=private, user__in=users)
    return suspects - set(found.values_list("room", "user"))
