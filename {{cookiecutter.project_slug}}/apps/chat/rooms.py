"""Create rooms, and choose the members of private ones."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from apps.chat.flood import check_rooms
from apps.chat.models import Room
from apps.users.models import User

MAX_MEMBERS = 500  # pages list them all


def enter_room(user: User, name: str, *, is_private: bool = False) -> Room:
    """Return the room of that name that the user may see, created now if there is none.

    The names of private rooms stay free for others, who must not learn of them.

    Raise ValidationError if the name is invalid; Flood, a subclass, if the user has
    created too many rooms.
    """
    name = " ".join(name.replace("\0", "").split())
    slug = slugify(name, allow_unicode=True)
    if not slug:
        raise ValidationError(_("A room's name needs a letter or a digit."))
    room = Room(name=name, slug=slug, creator=user, is_private=is_private)
    room.clean_fields(exclude=["creator"])
    # No name makes a slug with two hyphens in a row.
    named = Q(slug=slug) | Q(slug__startswith=f"{slug}--")
    rooms = Room.objects.visible_to(user).filter(named)
    if known := rooms.order_by("-is_private", "pk").first():
        return known
    check_rooms(user.pk)
    if is_private or Room.objects.filter(slug=slug).exists():
        slug += f"--{get_random_string(8)}"
    room, is_new = Room.objects.get_or_create(
        slug=slug,
        defaults={"name": name, "creator": user, "is_private": is_private},
    )
    if is_new and is_private:
        room.members.add(user)
    return room


def add_member(room: Room, username: str) -> None:
    """Add a member to a private room. Raise ValidationError."""
    user = find_user(username)
    if room.members.count() >= MAX_MEMBERS:
        raise ValidationError(
            _("A room has %(limit)s members at most."), params={"limit": MAX_MEMBERS}
        )
    room.members.add(user)


def remove_member(room: Room, username: str) -> None:
    """Remove a member from a private room, and close their sockets there.

    Raise ValidationError.
    """
    user = find_user(username)
    if user == room.creator:
        raise ValidationError(_("The creator of a room stays in it."))
    room.members.remove(user)


def find_user(username: str) -> User:
    """Return the user of that name. Raise ValidationError."""
    if len(username) > 150:
        raise ValidationError(_("Nobody has a name that long."))
    username = username.replace("\0", "�").strip()  # no name has one
    user = User.objects.filter(username=username).first()
    if user is None:
        raise ValidationError(
            _("There is nobody called “%(name)s”."), params={"name": username}
        )
    return user
