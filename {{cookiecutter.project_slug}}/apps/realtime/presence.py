"""Who is in a group, across all processes.

Each process writes down who has sockets in it, and that it is alive; whoever asks
counts the people of living processes. So a crash needs no cleaning up after.
"""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from apps.realtime.models import Presence, Process
from apps.realtime.threads import in_thread

# A process that was not seen for longer is taken for dead, in seconds.
ALIVE = 20
# Names in a roster; of more people the number is told.
SHOWN = 50

# Tells one set of people from another: how many they are, and the sum of their keys.
Fingerprint = tuple[int, int]
# Renders the first people of a group, and how many there are.
Roster = Callable[[list[Any], int], str]


class PresenceTracker:
    """What one process knows of the people in its groups."""

    def __init__(self) -> None:
        self.process_id = uuid4()
        self.rosters: dict[str, Roster] = {}
        self.stale: set[str] = set()  # groups whose roster is to be read again
        self._sockets: Counter[tuple[str, int]] = Counter()
        self._changed: set[tuple[str, int]] = set()
        self._shown: dict[str, Fingerprint] = {}

    def enter(self, group: str, user: int, roster: Roster) -> None:
        self.rosters[group] = roster
        self._sockets[group, user] += 1
        self._changed.add((group, user))
        self._shown.pop(group, None)  # the newcomer has seen none
        self.stale.add(group)

    @property
    def size(self) -> int:
        """How many people are in groups here, each once for each group."""
        return len(self._sockets)

    def leave(self, group: str, user: int) -> None:
        self._sockets[group, user] -= 1
        if not self._sockets[group, user]:
            del self._sockets[group, user]
            self._changed.add((group, user))

    async def write(self) -> set[str]:
        """Store what changed since the last time. Returns the groups concerned."""
        changed, self._changed = self._changed, set()
        if not changed:
            return set()
        here = {pair for pair in changed if pair in self._sockets}
        try:
            await in_thread(self._store)(here, changed - here)
        except BaseException:
            self._changed |= changed
            raise
        return {group for group, _ in changed}

    def _store(self, here: set[tuple[str, int]], gone: set[tuple[str, int]]) -> None:
        with transaction.atomic():
            Process.objects.update_or_create(
                pk=self.process_id, defaults={"seen": timezone.now()}
            )
            for group, user in gone:
                Presence.objects.filter(
                    process=self.process_id, group=group, user=user
                ).delete()
        rows = [
            Presence(process_id=self.process_id, group=group, user_id=user)
            for group, user in here
        ]
        Presence.objects.bulk_create(rows, ignore_conflicts=True)

    async def read(self, groups: Collection[str]) -> dict[str, str]:
        """Return the rosters of these groups that are not what they were."""
        groups = [group for group in groups if group in self.rosters]
        if not groups:
            return {}
        found = await in_thread(fingerprints)(groups)
        changed = {g: found[g] for g in groups if self._shown.get(g) != found[g]}
        rosters = {g: self.rosters[g] for g in changed if g in self.rosters}
        rendered = await in_thread(render_rosters)(rosters)
        self._shown |= changed
        return rendered

    def forget(self, group: str) -> None:
        self.rosters.pop(group, None)
        self._shown.pop(group, None)

    async def beat(self) -> set[str]:
        """Say that this process is alive. Returns the groups of those that died."""
        was_alive, groups = await in_thread(self._beat)()
        if not was_alive:  # so the others took it for dead
            self._changed |= set(self._sockets)
        return groups

    def _beat(self) -> tuple[bool, set[str]]:
        now = timezone.now()
        alive = Process.objects.filter(seen__gte=now - timedelta(seconds=ALIVE))
        was_alive = bool(alive.filter(pk=self.process_id).update(seen=now))
        if not was_alive:
            Process.objects.update_or_create(pk=self.process_id, defaults={"seen": now})
        Process.objects.filter(seen__lt=now - timedelta(seconds=3 * ALIVE)).delete()
        dead = Presence.objects.exclude(process__in=alive)
        return was_alive, set(dead.values_list("group", flat=True).distinct())

    async def end(self) -> set[str]:
        """Take this process out of all groups. Returns them."""
        return await in_thread(self._end)()

    def _end(self) -> set[str]:
        rows = Presence.objects.filter(process=self.process_id)
        groups = set(rows.values_list("group", flat=True).distinct())
        Process.objects.filter(pk=self.process_id).delete()
        return groups


def render_rosters(rosters: dict[str, Roster]) -> dict[str, str]:
    """Return the roster of each of these groups."""
    return {
        group: roster(list(people(group)[:SHOWN]), people(group).count())
        for group, roster in rosters.items()
    }


def people(group: str) -> QuerySet[Any]:
    """Return the users who are in a group, by name, each once."""
    present = alive().filter(group=group).values("user")
    model = get_user_model()
    return model._default_manager.filter(pk__in=present).order_by(model.USERNAME_FIELD)


def fingerprints(groups: Collection[str]) -> dict[str, Fingerprint]:
    """Return a fingerprint of who is in each of these groups, with one query."""
    present = alive().filter(group__in=groups).values("group")
    rows = present.annotate(
        people=Count("user", distinct=True), keys=Sum("user", distinct=True)
    )
    found = {row["group"]: (row["people"], row["keys"]) for row in rows}
    return {group: found.get(group, (0, 0)) for group in groups}


def count_people(groups: Collection[str]) -> dict[str, int]:
    """Return how many people are in each of these groups, with one query."""
    counted = alive().filter(group__in=groups).values("group")
    rows = counted.annotate(people=Count("user", distinct=True))
    return {row["group"]: row["people"] for row in rows}


def alive() -> QuerySet[Presence]:
    since = timezone.now() - timedelta(seconds=ALIVE)
    return Presence.objects.filter(process__seen__gte=since)
