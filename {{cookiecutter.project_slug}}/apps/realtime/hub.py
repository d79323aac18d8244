"""Fan-out within a process: one subscription for each group, whatever its sockets.

What it promises: fragments of one group arrive in the order they were published by
one process; numbered ones, where the group has a history, in the order of their
numbers, each of them once, even if the channel layer was away. What it does not: a
fragment without a number that is lost on the way stays lost.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer

from apps.realtime.background import offer
from apps.realtime.control import CONTROL, PROCESS, listen
from apps.realtime.counts import counts
from apps.realtime.group import Group
from apps.realtime.history import Fragment, History
from apps.realtime.outage import RETRY_AFTER, TIMEOUT, layer_outage
from apps.realtime.outbox import Outbox
from apps.realtime.presence import PresenceTracker
from apps.realtime.registry import Registry
from apps.realtime.upkeep import Upkeep

logger = logging.getLogger(__name__)


class Hub:
    """Listens to the channel layer for all sockets of a process."""

    def __init__(self) -> None:
        self.layer: Any = get_channel_layer()
        self.groups: dict[str, Group] = {}
        self.registry = Registry()
        self.presence = PresenceTracker()
        self.upkeep = Upkeep(self)
        self.channel = ""
        self._control = Group(CONTROL, None)
        self._starting = asyncio.Lock()
        self._started = False
        self._echo = asyncio.Event()
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen, at the first socket of the process."""
        if self._started:
            return
        async with self._starting:
            if not self._started:
                await self._open_channel()
                await self.subscribe_all()
                self.spawn(self._listen())
                for job in self.upkeep.jobs():
                    self.spawn(job)
                self._started = True

    async def echo(self) -> None:
        """Send this process a message through the channel layer, and await it."""
        self._echo.clear()
        await self.layer.send(self.channel, {"type": "echo"})
        await self._echo.wait()

    async def join(
        self,
        name: str,
        outbox: Outbox,
        *,
        history: History | None = None,
        after: int | None = None,
    ) -> None:
        """Write the group's fragments to a socket, first those it missed.

        `after` is the number of the last fragment that the socket's page shows.
        """
        await self.start()
        counts.joins += 1
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = Group(name, history)
        group.joining += 1
        try:
            await self._subscribe(group)
            await group.add(outbox, after)
        finally:
            group.joining -= 1

    async def leave(self, name: str, outbox: Outbox) -> None:
        group = self.groups.get(name)
        if group is None:
            return
        group.outboxes.discard(outbox)
        if group.is_empty:
            del self.groups[name]
            self.presence.forget(name)
            self._leaving[name] = leaving = self.spawn(self._unsubscribe(name))
            await asyncio.wait([leaving], timeout=TIMEOUT)

    async def subscribe_all(self, *, anew: bool = False) -> None:
        """Subscribe where that failed, or everywhere: memberships may expire."""
        for group in (self._control, *self.groups.values()):
            if group is self._control or group is self.groups.get(group.name):
                group.subscribed = group.subscribed and not anew
                await self._subscribe(group)

    async def _subscribe(self, group: Group) -> None:
        if leaving := self._leaving.get(group.name):
            await asyncio.wait([leaving], timeout=TIMEOUT)
        if self.channel and not group.subscribed and group.name not in self._leaving:
            group.subscribed = await self._call(self.layer.group_add, group.name)

    async def _unsubscribe(self, name: str) -> None:
        # Never cut short: channels-redis would take the group to be subscribed still.
        try:
            await self.layer.group_discard(name, self.channel)
        except Exception as error:  # each layer has its own
            layer_outage.begin(error, name)
        finally:
            if self._leaving.get(name) is asyncio.current_task():
                del self._leaving[name]

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # What holds for the socket that is here now, such as its language or its user in
        # the log, does not here.
        task = asyncio.create_task(coroutine, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _open_channel(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                self.channel = await self.layer.new_channel()
        except Exception as error:  # each layer has its own
            layer_outage.begin(error, CONTROL)

    async def _call(self, method: Callable[..., Any], name: str) -> bool:
        try:
            async with asyncio.timeout(TIMEOUT):
                await method(name, self.channel)
        except Exception as error:  # each layer has its own
            layer_outage.begin(error, name)
            return False
        layer_outage.end(name)
        return True

    async def _listen(self) -> None:
        while True:
            try:
                if not self.channel:
                    await self._open_channel()
                message = await self.layer.receive(self.channel)
            except Exception as error:  # each layer has its own
                layer_outage.begin(error, CONTROL)
                await asyncio.sleep(RETRY_AFTER)
                continue
            if message.get("heard_by") == PROCESS:
                continue  # whoever came in since is not meant
            try:
                self.hear(message)
            except Exception:
                logger.exception("A message of another process cannot be understood.")

    def hear(self, message: dict[str, Any]) -> None:
        """Act on a message of another process, or of this one."""
        match message["type"]:
            case "fragments":
                if group := self.groups.get(message["group"]):
                    published = message.get("published", 0)
                    for html, number in message["pairs"]:
                        group.receive(Fragment(html, number, published))
            case "forget":
                if group := self.groups.get(message["group"]):
                    group.forget()
            case "presence":
                self.presence.stale.add(message["group"])
            case "disconnect":
                self.registry.disconnect(message["labels"], message["code"])
            case "echo":
                self._echo.set()
            case "recheck":
                self.upkeep.recheck(self.registry.of_user(message["user"]))

    def stop(self) -> None:
        """Do nothing any more; the process ends."""
        for task in self._tasks:
            task.cancel()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def get_hub() -> Hub:
    """Return the hub of the running event loop, that is, of this process."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = hub = Hub()
        offer(loop)
        listen(loop, hub.hear)
    return _hubs[loop]


def get_hubs() -> list[Hub]:
    """Return the hubs of this process: one, outside of tests, once a socket came."""
    return list(_hubs.values())
