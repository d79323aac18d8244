"""Who is in a group, by the processes that are alive."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, QuerySet
from django.utils import timezone

from channels_live.models import Presence

# A process that was not seen for longer is taken for dead, in seconds.
ALIVE = 20
# Names in a roster; of more people the number is told.
SHOWN = 50

# Renders the first people of a group, and how many there are.
type Roster = Callable[[list[Any], int], str]


def present(group: str) -> tuple[list[Any], int]:
    """Return the first 50 users in a group, by name, and how many there are."""
    people = in_group(group)
    first = list(people[: SHOWN + 1])
    if len(first) <= SHOWN:
        return first, len(first)
    return first[:SHOWN], people.count()


def count_present(groups: Collection[str]) -> dict[str, int]:
    """Return how many people are in each of these groups, with one query."""
    counted = alive().filter(group__in=groups).values("group")
    rows = counted.annotate(people=Count("user", distinct=True))
    return {row["group"]: row["people"] for row in rows}


def in_group(group: str) -> QuerySet[Any]:
    here = alive().filter(group=group).values("user")
    model = get_user_model()
    return model._default_manager.filter(pk__in=here).order_by(model.USERNAME_FIELD)


def alive() -> QuerySet[Presence]:
    since = timezone.now() - timedelta(seconds=ALIVE)
    return Presence.objects.filter(process__seen__gte=since)
