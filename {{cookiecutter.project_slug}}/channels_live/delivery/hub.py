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
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from channels.layers import InMemoryChannelLayer, get_channel_layer

from channels_live import conf
from channels_live.base.close_code import CloseCode
from channels_live.base.messages import TYPE, Kind, Message, label
from channels_live.base.work import Tasks, is_server
from channels_live.delivery.fragments import Fragment, History
from channels_live.delivery.group import Group, complain
from channels_live.delivery.outbox import Outbox
from channels_live.observe import metrics, outage
from channels_live.observe.outage import database_outage, layer_outage

logger = logging.getLogger(__name__)

# Groups that are looked at together, where nothing hints at a loss.
LOOK = 200
# After as many seconds without a message a process asks itself whether it hears any.
SILENCE = 5
# The group that every process listens to.
EVERYBODY = "channels_live.everybody"
OTHER_TYPE = (
    "A message of type %r was sent to a group that consumers of channels_live have "
    "joined, and reaches none of them. Use channels_live.publish() instead of "
    "group_send()."
)
OTHER_FORM = (
    "A message published to the group %r reaches none of its sockets. Use publish_event() "
    "for groups of JsonConsumers, and publish() for all others."
)


type Turns = WeakValueDictionary[str, asyncio.Lock]  # by the names of groups

_turns = WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]()


def get_layer() -> Any:
    """Return the channel layer that processes reach each other through."""
    return get_channel_layer(conf.get("CHANNEL_LAYER"))


def reaches_nobody() -> bool:
    """Whether no page hears what is sent: this is no server, and there is no Redis."""
    return not is_server.is_set() and isinstance(get_layer(), InMemoryChannelLayer)


async def send(group: str, message: Message) -> bool:
    """Hand a message to the channel layer. Returns whether it was taken."""
    turns = _turns.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    # Of one group one by one: to wait for each other is no outage.
    async with turns.setdefault(group, asyncio.Lock()):
        if layer_outage.is_fresh(group):
            return False
        with layer_outage.noticed(group):
            async with asyncio.timeout(outage.TIMEOUT):
                await get_layer().group_send(group, message.encode())
            layer_outage.end(group)
        return not layer_outage.is_fresh(group)


class Hub:
    """Listens to the channel layer for all sockets of a process."""

    def __init__(self, hear: Callable[[Message], None], tasks: Tasks) -> None:
        self.layer = get_layer()
        everybody = Group(EVERYBODY)
        everybody.joining = 1  # for as long as the process lives
        self.groups = {EVERYBODY: everybody}
        self.channel = ""
        self._hear = hear
        self._tasks = tasks
        self._echo = asyncio.Event()
        self._heard_at = time.monotonic()
        self._unseen: list[Group] = []  # by repair(), in this round
        self._is_in_doubt = False  # whether the groups have all that they should
        self._outages = 0
        self._turns: Turns = WeakValueDictionary()

    async def start(self) -> None:
        with layer_outage.noticed(EVERYBODY):
            await self._open_channel()
        await self.subscribe_all()
        self._listening = self._tasks.spawn(self._listen())

    async def echo(self) -> None:
        """Send this process a message through the channel layer, and await it.

        It may be lost: then another has to be sent.
        """
        self._echo.clear()
        async with asyncio.timeout(outage.TIMEOUT):
            await self.layer.send(self.channel, Message(Kind.ECHO).encode())
            await self._echo.wait()

    async def hear_again(self) -> bool:
        """Open other connections where nothing comes by those that are there.

        A network may let them die without a word. Returns whether that was so.
        """
        if time.monotonic() - self._heard_at < SILENCE:
            return False
        with layer_outage.noticed(EVERYBODY):
            try:
                await self.echo()
            except TimeoutError:
                logger.warning(
                    "Connections to the channel layer are dead: opening others."
                )
            else:
                return False
            self._listening.cancel()
            try:
                async with asyncio.timeout(outage.TIMEOUT):
                    await self.layer.flush()
            finally:
                self.channel, self._heard_at = "", time.monotonic()
                self._listening = self._tasks.spawn(self._listen())
                for group in self.groups.values():
                    group.subscribed = False  # see subscribe_all()
                self._is_in_doubt = True
        return True

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
        a history, a socket is sent new fragments only. Raises ValueError if the group's
        sockets have another history or form.
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
            group.history = history
        group.joining += 1
        try:
            await self._subscribe(group)
            await group.add(outbox, after)
        finally:
            group.joining -= 1

    async def quit(self, name: str, outbox: Outbox) -> None:
        """Write nothing more of a group to a socket."""
        group = self.groups.get(name)
        if group is None:
            return
        group.outboxes.discard(outbox)
        if not group.outboxes and not group.joining:
            del self.groups[name]
            metrics.groups.dec()
            leaving = self._tasks.spawn(self._unsubscribe(name))
            await asyncio.wait([leaving], timeout=outage.TIMEOUT)

    def receive(self, message: Message) -> None:
        """Act on a message about what groups are sent."""
        if message.kind is Kind.ECHO:
            self._echo.set()
        elif group := self.groups.get(message.group):
            if message.kind is Kind.HISTORY_CHANGED:
                group.history_changed()
            if message.pairs and (message.kind is Kind.EVENTS) is not group.is_json:
                complain(OTHER_FORM, group.name)
                return
            for html, number in message.pairs:
                # Or it is late: only the history knows.
                self._is_in_doubt |= 0 < number <= group.base
                fragment = Fragment(html, number, message.published)
                if group.contradicts(fragment):
                    self._begin_anew(group)
                group.receive(fragment)

    def _begin_anew(self, group: Group) -> None:
        """Have all pages of a group come back: their database has lost what they show."""
        logger.warning("The history of the group %s has gone back.", group.name)
        group.forget()
        labels = [label("group", group.name)]
        self._hear(
            Message(Kind.DISCONNECT, labels=labels, code=CloseCode.SERVICE_RESTART)
        )

    async def repair(self) -> None:
        """Send what the channel layer lost: one query a history, not one a group.

        Many groups take turns, unless something hints at a loss.
        """
        outages = layer_outage.count + database_outage.count
        if outages != self._outages or layer_outage.failed or database_outage.failed:
            self._is_in_doubt = True
        if self._is_in_doubt or not self._unseen:
            self._unseen = [one for one in self.groups.values() if one.history]
        size = len(self._unseen) if self._is_in_doubt else LOOK
        groups, self._unseen = self._unseen[:size], self._unseen[size:]
        self._outages, self._is_in_doubt = outages, False
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
                    self._is_in_doubt = True  # of the other groups
                    await group.sync(newest)

    async def renew(self) -> None:
        """Subscribe to all anew: channel layers let memberships expire after a day."""
        for group in self.groups.values():
            group.subscribed = False
        await self.subscribe_all()

    async def subscribe_all(self) -> None:
        """Subscribe where that failed."""
        for group in tuple(self.groups.values()):
            if not group.subscribed:
                await self._subscribe(group)

    async def _subscribe(self, group: Group) -> None:
        if group.subscribed or not self.channel:
            return
        with layer_outage.noticed(group.name):
            async with asyncio.timeout(outage.TIMEOUT), self._turn(group.name):
                if self.groups.get(group.name) is group and not group.subscribed:
                    await self.layer.group_add(group.name, self.channel)
                    group.subscribed = True
                    layer_outage.end(group.name)

    async def _unsubscribe(self, name: str) -> None:
        with layer_outage.noticed(name):
            async with self._turn(name):
                if name not in self.groups:
                    # Never cut short: channels-redis would take it to be subscribed.
                    await self.layer.group_discard(name, self.channel)

    def _turn(self, name: str) -> asyncio.Lock:
        """Return a lock, so that a group is not left and joined at the same time."""
        return self._turns.setdefault(name, asyncio.Lock())

    async def _open_channel(self) -> None:
        async with asyncio.timeout(outage.TIMEOUT):
            self.channel = await self.layer.new_channel()

    async def _listen(self) -> None:
        while True:
            try:
                with layer_outage.noticed(EVERYBODY):
                    if not self.channel:
                        await self._open_channel()
                    received = await self.layer.receive(self.channel)
                    self._heard_at = time.monotonic()
                    self.understand(received)
                    continue
            except Exception:
                logger.exception("Nothing can be received from the channel layer.")
            await asyncio.sleep(outage.RETRY_AFTER)

    def understand(self, received: Any) -> None:
        """Act on what has come from another process."""
        try:
            if received["type"] != TYPE:
                complain(OTHER_TYPE, str(received["type"])[:100])
                return
            message = Message.decode(received)
        except (KeyError, TypeError, ValueError) as error:
            logger.warning("A message of another version is dropped: %r", error)
            return
        try:
            self._hear(message)
        except Exception:
            logger.exception("A message of another process cannot be acted on.")
