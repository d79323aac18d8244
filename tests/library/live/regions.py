"""Regions that show users of the project."""

import threading
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils.translation import gettext

from channels_live import Live

User = get_user_model()

# What the tests have regions do, and what regions have done.
banned: set[Any] = set()
failing: set[Any] = set()
reads: list[list[Any]] = []
running: list[Any] = []  # keys that are read right now
crowds: list[int] = []  # how many those were, each time one more was
gate = threading.Event()


def reset() -> None:
    banned.clear()
    failing.clear()
    reads.clear()
    crowds.clear()
    gate.set()


reset()


def free_key(number: int = 0) -> Any:
    """Return a primary key that no user has: a made one, or else a number."""
    return User._meta.pk.get_default() or 1000 + number


class Card(Live):
    """Shows a user to everybody who is not banned."""

    template_name = "card.html"
    follows: ClassVar = {User: "pk"}

    def allows(self, user: Any, key: Any) -> bool:
        return user.pk not in banned

    def get_context(self, key: int) -> dict[str, Any]:
        running.append(key)
        crowds.append(len(running))
        gate.wait(5)
        running.remove(key)
        reads.append([key])
        if key in failing:
            raise RuntimeError("not thought of")
        return {"user": User.objects.get(pk=key)}


class Team(Live):
    """Shows all who have a first name, to all."""

    template_name = "team.html"
    follows: ClassVar = {User: "first_name"}

    def allowed(self, key: str, users: Collection[Any]) -> Collection[Any]:
        return users

    def get_contexts(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        reads.append(list(keys))
        people: dict[str, list[Any]] = {key: [] for key in keys}
        for user in User.objects.filter(first_name__in=keys).order_by("username"):
            people[user.first_name].append(user)
        return {key: {"people": found} for key, found in people.items()}


class Crowd(Live):
    """Shows how many users there are. Has no key."""

    template_name = "text.html"
    follows: ClassVar = {User: None}

    def allows(self, user: Any, key: str) -> bool:
        return True

    def get_context(self, key: str) -> dict[str, Any]:
        return {"text": f"{User.objects.count()} users"}


class Staff(Live):
    """Shows to the staff that they are staff."""

    template_name = "text.html"

    def allows(self, user: Any, key: Any) -> bool:
        return bool(user.is_staff)

    def get_context(self, key: Any) -> dict[str, Any]:
        return {"text": f"seen {len(reads)} times"}


class Groups(Live):
    """Shows which groups there are, which are in another database if there is one."""

    template_name = "text.html"
    follows: ClassVar = {Group: None}

    def allows(self, user: Any, key: Any) -> bool:
        return True

    def get_context(self, key: Any) -> dict[str, Any]:
        return {"text": Group.objects.values_list("name", flat=True)}


class Member(Live):
    """Shows a group to its members."""

    template_name = "text.html"
    follows: ClassVar = {Group: "pk"}

    def allowed_keys(self, user: Any, keys: Sequence[int]) -> Iterable[int]:
        reads.append(list(keys))
        return Group.objects.filter(pk__in=keys, user=user.pk).values_list(
            "pk", flat=True
        )

    def get_contexts(self, keys: Sequence[int]) -> dict[int, dict[str, Any]]:
        groups = Group.objects.in_bulk(keys)
        return {key: {"text": group.name} for key, group in groups.items()}


class Shared(Live):
    """Shows a group to those of whom a row says so."""

    template_name = "text.html"
    # Keys are texts, as the admin notes them of other models too.
    follows: ClassVar = {LogEntry: "object_id", Group: "pk"}

    def allows(self, user: Any, key: str) -> bool:
        return LogEntry.objects.filter(user=user.pk, object_id=key).exists()

    def get_context(self, key: str) -> dict[str, Any]:
        return {"text": Group.objects.get(pk=key).name}


class Own(Live):
    """Shows a user to themselves."""

    template_name = "form.html"

    def allows(self, user: Any, key: Any) -> bool:
        return bool(user.pk == key)


class Closed(Live):
    """Says nothing of who may see it."""

    template_name = "text.html"


class Text(Live):
    """Shows the key, as it came; a number as so many letters."""

    template_name = "text.html"

    def allows(self, user: Any, key: Any) -> bool:
        return True

    def get_context(self, key: Any) -> dict[str, Any]:
        return {"text": "x" * key if isinstance(key, int) else repr(key)}


class Where(Live):
    """Shows the language and the address of the page."""

    template_name = "where.html"

    def allows(self, user: Any, key: Any) -> bool:
        return True

    def get_context(self, key: Any) -> dict[str, Any]:
        return {"day": gettext("Tuesday")}


class Nested(Live):
    template_name = "nested.html"

    def allows(self, user: Any, key: Any) -> bool:
        return True
