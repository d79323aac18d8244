"""Fan-out within a process: one subscription for each group, whatever its sockets.

What it promises: fragments of one group arrive in the order they were published by
one process; numbered ones, where the group has a history, in the order of their
numbers, each of them once, even if the channel layer was away. What it does not: a
fragment without a number that is lost on the way stays lost.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from channels_live.base.batch import Batch
from channels_live.base.close_code import CloseCode
from channels_live.base.messages import Kind, Message, label
from channels_live.base.tasks import Tasks
from channels_live.delivery.bus import Bus
from channels_live.delivery.fragments import Fragment, History
from channels_live.delivery.group import Group
from channels_live.delivery.outbox import Outbox
from channels_live.observe import metrics
from channels_live.observe.complaints import complain
from channels_live.observe.outage import database_outage, layer_outage

logger = logging.getLogger(__name__)

# Groups that are looked at together, where nothing hints at a loss.
LOOK = 200
# Histories whose groups are asked for together.
HISTORIES = 100
OTHER_FORM = (
    "A message published to the group %r reaches none of its sockets. Use publish_event() "
    "for groups of JsonConsumers, and publish() for all others."
)


class Hub:
    """The groups that sockets of a process are in."""

    def __init__(self, hear: Callable[[Message], None], tasks: Tasks) -> None:
        self.groups: dict[str, Group] = {}
        self.bus = Bus(self.groups, hear, tasks)
        self.is_in_doubt = False  # whether the groups have all that they should
        self._hear = hear
        self._tasks = tasks
        self._newest: Any = lru_cache(HISTORIES)(lambda one: Batch(one.last_numbers))
        self._unseen: list[Group] = []  # by repair(), in this round
        self._outages = 0

    async def join(
        self,
        name: str,
        outbox: Outbox,
        *,
        history: History | None = None,
        after: int | None = None,
    ) -> None:
        """Write the group's fragments to a socket, first those that it missed.

        `after` is the number of the last fragment that the socket's page shows. Without
        a history, a socket is sent new fragments only. Raises Refused if the history does
        not reach that far, ValueError if the group's sockets have another one or form.
        """
        is_json = outbox.is_json and not outbox.is_page
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = Group(name, peers=self.groups, is_json=is_json)
            metrics.groups.inc()
        if group.is_json is not is_json:
            raise ValueError(
                f"A group is for HTML or for JSON, and sockets of the other form have "
                f"joined {name!r}. Use another group name."
            )
        if history is not None:
            if group.history not in (None, history):
                raise ValueError(
                    f"The group {name!r} was joined with the history {group.history!r}, "
                    f"and cannot be joined with {history!r} too. Join it with the same "
                    "history, or use another group name."
                )
            group.history, group.newest = history, self._newest(history)
        group.joining += 1
        try:
            await self.bus.subscribe(name)
            await group.add(outbox, after)
        finally:
            group.joining -= 1
            self._drop_empty(group)

    def quit(self, name: str, outbox: Outbox) -> None:
        if group := self.groups.get(name):
            group.outboxes.discard(outbox)
            self._drop_empty(group)

    def _drop_empty(self, group: Group) -> None:
        if not group.outboxes and not group.joining:
            del self.groups[group.name]
            metrics.groups.dec()
            self._tasks.spawn(self.bus.unsubscribe(group.name))

    def receive(self, message: Message) -> None:
        """Act on a message about what a group is sent."""
        group = self.groups.get(message.group)
        if group is None:
            return
        if message.kind is Kind.HISTORY_CHANGED:
            group.history_changed()
        elif (message.kind is Kind.EVENTS) is not group.is_json:
            complain(OTHER_FORM, group.name)
        else:
            for html, number in message.pairs:
                fragment = Fragment(html, number, message.published)
                # Or it is late: only the history knows.
                self.is_in_doubt |= 0 < number <= group.base
                if group.contradicts(fragment):
                    self._begin_anew(group)
                group.receive(fragment)

    def _begin_anew(self, group: Group) -> None:
        """Have all pages of a group come back: their database has lost what they show."""
        logger.warning("%s: pages and history differ; pages reconnect.", group.name)
        group.forget()
        labels, code = [label("group", group.name)], CloseCode.SERVICE_RESTART
        # What is said again is taken for the same but for its time.
        now = time.time()
        self._hear(Message(Kind.DISCONNECT, published=now, labels=labels, code=code))

    async def repair(self) -> None:
        """Send what the channel layer lost: one query a history, not one a group.

        Many groups take turns, unless something hints at a loss.
        """
        outages = layer_outage.count + database_outage.count
        if outages != self._outages or layer_outage.failed or database_outage.failed:
            self.is_in_doubt = True
        if self.is_in_doubt or not self._unseen:
            self._unseen = [one for one in self.groups.values() if one.history]
        size = len(self._unseen) if self.is_in_doubt else LOOK
        groups, self._unseen = self._unseen[:size], self._unseen[size:]
        self._outages, self.is_in_doubt = outages, False
        shown: dict[History, dict[str, int]] = {}
        for group in groups:
            if group.history is not None and self.groups.get(group.name) is group:
                shown.setdefault(group.history, {})[group.name] = group.last
                group.trim()
        # One that fails must not hold up the others.
        await asyncio.gather(*(self._repair(*of_one) for of_one in shown.items()))

    async def _repair(self, history: History, shown: dict[str, int]) -> None:
        newest_numbers = await history.last_numbers(shown.keys())
        database_outage.end()
        for name, newest in newest_numbers.items():
            if group := self.groups.get(name):
                if newest < shown[name]:
                    self._begin_anew(group)
                elif newest > group.last:
                    self.is_in_doubt = True  # of the other groups
                    await group.sync(newest)
