"""Presence: the users in a group, across all processes.

Each process stores the users of its sockets and, every few seconds, that it is alive. Only
the users of living processes count, so nothing needs to be cleaned up after a crash.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from channels_live.base.messages import Kind, Message
from channels_live.base.threads import in_own_thread, in_thread
from channels_live.delivery.group import Group
from channels_live.delivery.hub import Hub
from channels_live.delivery.sending import send
from channels_live.delivery.socket import Socket
from channels_live.models import Presence, Process
from channels_live.observe import metrics
from channels_live.observe.outage import database_outage, layer_outage

# A process that was not seen for longer is taken for dead, in seconds.
ALIVE = 20
# By the database's clock: those of machines differ.
ALIVE_SINCE = Now() - timedelta(seconds=ALIVE)
DEAD_SINCE = Now() - timedelta(seconds=3 * ALIVE)
# Names in a roster; of more people the number is told.
SHOWN = 50
# Rows that are deleted with one statement, of which databases limit the size.
ROWS = 200

# Renders the first people of a group, and how many there are, as HTML or JSON.
type Roster = Callable[[list[Any], int], str | Mapping[str, object]]
type Pair = tuple[str, Any]  # a group, and the primary key of a user


def present(group: str) -> tuple[list[Any], int]:
    """Return the first 50 users in a group, by name, and how many there are."""
    return find_present([group])[group]


def find_present(groups: Collection[str]) -> dict[str, tuple[list[Any], int]]:
    """Do what present() does for each of these groups, with two queries in all."""
    model = get_user_model()
    rows = find_alive(groups).order_by(f"user__{model.USERNAME_FIELD}")
    pks: dict[str, dict[Any, None]] = {group: {} for group in groups}
    for group, user in rows.values_list("group", "user"):
        pks[group][user] = None  # in its place, however many processes they are in
    shown = {group: list(pks[group])[:SHOWN] for group in groups}
    users = model._default_manager.in_bulk({pk for few in shown.values() for pk in few})
    return {
        group: ([users[pk] for pk in few if pk in users], len(pks[group]))
        for group, few in shown.items()
    }


def count_present(groups: Collection[str]) -> dict[str, int]:
    """Return how many users are in each of these groups, with one query."""
    counted = find_alive(groups).values("group").annotate(Count("user", distinct=True))
    return {row["group"]: row["user__count"] for row in counted}


def find_alive(groups: Collection[str]) -> QuerySet[Presence]:
    return Presence.objects.filter(group__in=groups, process__seen__gte=ALIVE_SINCE)


class Tracker:
    """What one process knows of the people in its groups."""

    def __init__(self, process_id: UUID, hub: Hub) -> None:
        self._process_id = process_id
        self._hub = hub
        self._rosters: dict[str, Roster] = {}
        self._stale: set[str] = set()  # groups whose roster is to be read again
        self._sockets: defaultdict[str, set[Socket]] = defaultdict(set)
        self.has_changed = False  # who has which socket
        self._here: set[Pair] = set()
        self._stored: set[Pair] = set()  # what the database has of these
        self._untold: set[str] = set()  # groups of which the others were not told
        self._shown: dict[str, str] = {}

    def enter(self, group: str, socket: Socket, roster: Roster) -> None:
        self._rosters[group] = roster
        self._sockets[group].add(socket)
        self.has_changed = True
        self._shown.pop(group, None)  # the newcomer has seen none
        self.changed(group)

    def leave(self, group: str, socket: Socket) -> None:
        if sockets := self._sockets.get(group):
            sockets.discard(socket)
            self.has_changed = True
            if not sockets:
                del self._sockets[group]

    def changed(self, group: str) -> None:
        """Show a group's roster anew, if it is not what it was."""
        self._stale.add(group)

    def all_changed(self) -> None:
        self._stale.update(self._rosters)

    async def tell(self) -> None:
        """Store who came and went here, tell all processes, and show what they told."""
        if self.has_changed:
            self.has_changed = False
            self._here = {  # going by whom sockets are logged in as by now
                (group, user)
                for group, sockets in self._sockets.items()
                for one in sockets
                if (user := one.scope["user"].pk) is not None
            }
            for group in self._rosters.keys() - self._hub.groups.keys():
                del self._rosters[group]
                self._shown.pop(group, None)
        changed = set[Pair]()
        if (here := self._here) is not (stored := self._stored):
            if changed := here ^ stored:
                metrics.present.set(len(here))
                await in_own_thread(self._store)(changed - stored, changed & stored)
                self._stale.update(group for group, _ in changed)
            if self._stored is stored:  # or beat() has found that it is not
                self._stored = here
        if changed or (self._untold and not layer_outage.failed):
            await self._tell_others(changed)
        stale, self._stale = self._stale, set()
        try:
            if names := stale & self._rosters.keys() & self._hub.groups.keys():
                await self._show(names)
        except database_outage.errors:
            self._stale |= stale
            raise

    async def beat(self) -> None:
        """Say that this process is alive, and learn who went with those that died."""
        if self._rosters:
            was_alive, groups = await in_own_thread(self._beat)()
            self._stale |= groups
            if not was_alive:  # so the others took it for dead
                self._stored = set()

    async def end(self) -> None:
        """Take this process out of all groups, and tell the others."""
        with database_outage.noticed():
            await in_own_thread(Process.objects.filter(pk=self._process_id).delete)()
            await self._tell_others(self._stored | self._here)

    async def _tell_others(self, pairs: Collection[Pair]) -> None:
        kind, sender = Kind.PRESENCE_CHANGED, str(self._process_id)
        groups = self._untold | {group for group, _ in pairs}
        messages = (Message(kind, group, sender=sender) for group in groups)
        told = await asyncio.gather(*(send(one.group, one) for one in messages))
        self._untold = {
            one for one, is_told in zip(groups, told, strict=True) if not is_told
        }

    def _store(self, here: set[Pair], gone: set[Pair]) -> None:
        Process(self._process_id, Now()).save()
        for pairs in batched(gone, ROWS):
            keys = [(*pair, self._process_id) for pair in pairs]
            Presence.objects.filter(pk__in=keys).delete()
        come = [
            Presence(process_id=self._process_id, group=group, user_id=user)
            for group, user in here
        ]
        Presence.objects.bulk_create(come, ignore_conflicts=True)

    async def _show(self, names: Collection[str]) -> None:
        groups = {name: self._hub.groups[name] for name in names}
        rendered, failures = await in_thread(self._render)(groups)
        for name, text in rendered.items():
            if self._shown.get(name) != text:
                self._shown[name] = text
                groups[name].broadcast(text)
        if failures:
            raise failures[0]

    def _render(
        self, groups: Mapping[str, Group]
    ) -> tuple[dict[str, str], list[Exception]]:
        rendered, failures = {}, []
        for name, (people, count) in find_present(groups).items():
            try:
                content = self._rosters[name](people, count)
                rendered[name] = groups[name].as_text(content)
            except Exception as error:  # which must not hold up the others
                failures.append(error)
        return rendered, failures

    def _beat(self) -> tuple[bool, set[str]]:
        alive = Process.objects.filter(seen__gte=ALIVE_SINCE)
        was_alive = bool(alive.filter(pk=self._process_id).update(seen=Now()))
        Process.objects.filter(seen__lt=DEAD_SINCE).delete()
        dead = Presence.objects.exclude(process__in=alive)
        return was_alive, set(dead.values_list("group", flat=True).distinct())
