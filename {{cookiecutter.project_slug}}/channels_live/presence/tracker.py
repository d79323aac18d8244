"""What one process knows of the people in its groups.

Each process writes down who has sockets in them, and that it is alive; whoever asks
counts the people of living processes. So a crash needs no cleaning up after.
"""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from channels_live.base.messages import PresenceChanged
from channels_live.base.threads import in_thread
from channels_live.delivery import bus
from channels_live.delivery.hub import Hub
from channels_live.models import Presence, Process
from channels_live.observe import metrics
from channels_live.presence.people import ALIVE, Roster, present

type Pair = tuple[str, object]  # a group, and the primary key of a user


class Tracker:
    """Stores who comes and goes here, and shows rosters that have changed anywhere."""

    def __init__(self, process_id: UUID, hub: Hub) -> None:
        self._process_id = process_id
        self._hub = hub
        self._rosters: dict[str, Roster] = {}
        self._stale: set[str] = set()  # groups whose roster is to be read again
        self._sockets: Counter[Pair] = Counter()
        self._changed: set[Pair] = set()
        self._shown: dict[str, str] = {}

    def enter(self, group: str, user: object, roster: Roster) -> None:
        self._rosters[group] = roster
        self._sockets[group, user] += 1
        self._changed.add((group, user))
        self._shown.pop(group, None)  # the newcomer has seen none
        self.changed(group)

    def leave(self, group: str, user: object) -> None:
        self._sockets[group, user] -= 1
        if not self._sockets[group, user]:
            del self._sockets[group, user]
            self._changed.add((group, user))

    def changed(self, group: str) -> None:
        """Show a group's roster anew, if it is not what it was."""
        self._stale.add(group)

    def all_changed(self) -> None:
        self._stale.update(self._rosters)

    async def tell(self) -> None:
        """Store who came and went here, tell all processes, and show what they told."""
        for group in await self._write():
            await bus.send(group, PresenceChanged(group))
            self.changed(group)
        stale, self._stale = self._stale, set()
        await self._show(stale)

    async def beat(self) -> None:
        """Say that this process is alive, and show who went with those that died."""
        if not self._rosters:
            return
        was_alive, groups = await in_thread(self._beat)()
        if not was_alive:  # so the others took it for dead
            self._changed |= set(self._sockets)
        await self._show(groups)

    async def end(self) -> None:
        """Take this process out of all groups, and tell the others."""
        for group in await in_thread(self._end)():
            await bus.send(group, PresenceChanged(group))

    async def _write(self) -> set[str]:
        changed, self._changed = self._changed, set()
        if not changed:
            return set()
        metrics.present.set(len(self._sockets))
        here = {pair for pair in changed if pair in self._sockets}
        try:
            await in_thread(self._store)(here, changed - here)
        except BaseException:
            self._changed |= changed
            raise
        return {group for group, _ in changed}

    def _store(self, here: set[Pair], gone: set[Pair]) -> None:
        with transaction.atomic():
            Process.objects.update_or_create(
                pk=self._process_id, defaults={"seen": timezone.now()}
            )
            for group, user in gone:
                Presence.objects.filter(
                    process=self._process_id, group=group, user=user
                ).delete()
        rows = [
            Presence(process_id=self._process_id, group=group, user_id=user)
            for group, user in here
        ]
        Presence.objects.bulk_create(rows, ignore_conflicts=True)

    async def _show(self, groups: Collection[str]) -> None:
        if not groups:
            return
        for name in set(self._rosters) - set(self._hub.groups):
            del self._rosters[name]
            self._shown.pop(name, None)
        rosters = {
            name: self._rosters[name] for name in groups if name in self._rosters
        }
        rendered = await in_thread(render)(rosters) if rosters else {}
        for name, html in rendered.items():
            group = self._hub.groups.get(name)
            if group and self._shown.get(name) != html:
                self._shown[name] = html
                group.broadcast(html)

    def _beat(self) -> tuple[bool, set[str]]:
        now = timezone.now()
        alive = Process.objects.filter(seen__gte=now - timedelta(seconds=ALIVE))
        was_alive = bool(alive.filter(pk=self._process_id).update(seen=now))
        if not was_alive:
            Process.objects.update_or_create(
                pk=self._process_id, defaults={"seen": now}
            )
        Process.objects.filter(seen__lt=now - timedelta(seconds=3 * ALIVE)).delete()
        dead = Presence.objects.exclude(process__in=alive)
        return was_alive, set(dead.values_list("group", flat=True).distinct())

    def _end(self) -> set[str]:
        rows = Presence.objects.filter(process=self._process_id)
        groups = set(rows.values_list("group", flat=True).distinct())
        Process.objects.filter(pk=self._process_id).delete()
        return groups


def render(rosters: dict[str, Roster]) -> dict[str, str]:
    """Return the roster of each of these groups."""
    return {group: roster(*present(group)) for group, roster in rosters.items()}
