"""What a process sees to now and then, so that nothing depends on a message alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any

from apps.realtime.codes import NOT_LOGGED_IN
from apps.realtime.history import History
from apps.realtime.outage import (
    DATABASE_ERRORS,
    TIMEOUT,
    database_outage,
    layer_outage,
)
from apps.realtime.publish import send_to_group
from apps.realtime.registry import Member
from apps.realtime.sessions import find_revoked
from apps.realtime.threads import in_thread

if TYPE_CHECKING:
    from apps.realtime.hub import Hub

logger = logging.getLogger(__name__)

# All in seconds.
PRESENCE_INTERVAL = 0.5
HISTORY_INTERVAL = 2
BEAT_INTERVAL = 5
CHECK_INTERVAL = 30
# Channel layers let memberships expire after a day.
RENEWAL_INTERVAL = 3600


class Upkeep:
    """The recurring work of a hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def jobs(self) -> list[Coroutine[Any, Any, None]]:
        jobs: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (PRESENCE_INTERVAL, self.tell_presence),
            (HISTORY_INTERVAL, self.look_into_histories),
            (HISTORY_INTERVAL, self.hub.subscribe_all),
            (HISTORY_INTERVAL, self.try_layer),
            (BEAT_INTERVAL, self.beat),
            (CHECK_INTERVAL, self.check_sockets),
            (RENEWAL_INTERVAL, self.renew),
        ]
        return [every(*job) for job in jobs]

    async def look_into_histories(self) -> None:
        """Send what the channel layer lost: one query a history, not one a group."""
        names: dict[History, list[str]] = {}
        for group in self.hub.groups.values():
            if group.history is not None:
                names.setdefault(group.history, []).append(group.name)
        for history, groups in names.items():
            newest_numbers = await history.last_numbers(groups)
            database_outage.end()
            for name, newest in newest_numbers.items():
                behind = self.hub.groups.get(name)
                if behind is not None and behind.last < newest:
                    await behind.sync()

    async def try_layer(self) -> None:
        """See whether what failed is back, though nobody says anything."""
        message = {"type": "nothing"}
        failed = layer_outage.parts
        await asyncio.gather(*(send_to_group(group, message) for group in failed))
        if failed and not layer_outage.parts:
            # What was told meanwhile was not heard.
            self.hub.presence.stale.update(self.hub.presence.rosters)
            await self.check_sockets()

    async def tell_presence(self) -> None:
        """Store who came and went here, tell all processes, and show what they told."""
        presence = self.hub.presence
        for group in await presence.write():
            await send_to_group(group, {"type": "presence", "group": group})
            presence.stale.add(group)
        stale, presence.stale = presence.stale, set()
        await self.show_rosters(stale)

    async def beat(self) -> None:
        if self.hub.presence.rosters:
            await self.show_rosters(await self.hub.presence.beat())

    async def leave(self) -> None:
        """Tell the other processes that nobody is here any more."""
        try:
            async with asyncio.timeout(TIMEOUT):
                groups = await self.hub.presence.end()
        except (TimeoutError, *DATABASE_ERRORS) as error:
            database_outage.begin(error)
            return
        messages = [{"type": "presence", "group": group} for group in groups]
        await asyncio.gather(*(send_to_group(one["group"], one) for one in messages))

    async def show_rosters(self, groups: Collection[str]) -> None:
        for name, html in (await self.hub.presence.read(groups)).items():
            if group := self.hub.groups.get(name):
                group.broadcast(html)

    async def check_sockets(self) -> None:
        """Let go who should have been told, and was not."""
        await self._let_go_revoked(self.hub.registry.of_users())
        kinds: dict[type[Member], list[Member]] = {}
        for member in self.hub.registry.joined():
            kinds.setdefault(type(member), []).append(member)
        for kind, members in kinds.items():
            unwelcome = await in_thread(kind.find_unwelcome)(members)
            for member, code in unwelcome.items():
                member.let_go(code)

    def recheck(self, members: Collection[Member]) -> None:
        self.hub.spawn(self._let_go_revoked(members))

    async def renew(self) -> None:
        await self.hub.subscribe_all(anew=True)

    async def _let_go_revoked(self, members: Collection[Member]) -> None:
        if not members:
            return
        revoked = await in_thread(find_revoked)([member.scope for member in members])
        database_outage.end()
        gone = {id(scope) for scope in revoked}
        for member in members:
            if id(member.scope) in gone:
                member.let_go(NOT_LOGGED_IN)


async def every(interval: float, job: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(interval)
        try:
            await job()
        except DATABASE_ERRORS as error:
            database_outage.begin(error)
        except Exception:
            logger.exception("Failed to %s; trying again.", job.__name__)
