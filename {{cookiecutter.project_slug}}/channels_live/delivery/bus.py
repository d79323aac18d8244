"""Listens to the channel layer, through which processes tell each other what happens."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from typing import Any

from channels_live.base.messages import TYPE, Kind, Message
from channels_live.base.tasks import Tasks
from channels_live.delivery.sending import EVERYBODY, get_layer, send, turn
from channels_live.observe import outage
from channels_live.observe.complaints import complain
from channels_live.observe.outage import layer_outage

logger = logging.getLogger(__name__)

# After as many seconds without a message a process asks itself whether it hears any.
SILENCE = 5
# Between two that cannot even be decoded, in seconds.
PAUSE = 0.01
DROPPED = "A message of another version is dropped: %r"
OTHER_TYPE = (
    "A message of type %r was sent to a group that consumers of channels_live have "
    "joined, and reaches none of them. Use channels_live.publish() instead of "
    "group_send()."
)


class Bus:
    """Listens to the channel layer for a process."""

    def __init__(
        self, groups: Collection[str], hear: Callable[[Message], None], tasks: Tasks
    ) -> None:
        """`groups` are those that have to be heard, by now and later on."""
        self._layer = get_layer()
        self._groups = groups
        self._hear = hear
        self._tasks = tasks
        self.channel = ""
        self._subscribed: set[str] = set()
        self._echo = asyncio.Event()
        self._heard_at = time.monotonic()

    async def start(self) -> None:
        with layer_outage.noticed(EVERYBODY):
            await self._open_channel()
        await self.subscribe_all()
        self._listening = self._tasks.spawn(self._listen())

    async def renew(self) -> None:
        """Have subscribe_all() subscribe anew: in some channel layers that lasts a day."""
        self._subscribed.clear()

    async def subscribe_all(self) -> None:
        """Subscribe where that failed."""
        for group in {EVERYBODY, *self._groups} - self._subscribed:
            await self.subscribe(group)

    async def subscribe(self, group: str) -> None:
        if not self.channel or group in self._subscribed:
            return
        with layer_outage.noticed(group):
            async with asyncio.timeout(outage.TIMEOUT), turn("subscribe", group):
                if self._is_wanted(group) and group not in self._subscribed:
                    await self._layer.group_add(group, self.channel)
                    self._subscribed.add(group)
                    layer_outage.end(group)

    async def unsubscribe(self, group: str) -> None:
        """Hear no more what a group is sent, unless it is wanted again."""
        with layer_outage.noticed(group):
            async with turn("subscribe", group):
                if not self._is_wanted(group):
                    self._subscribed.discard(group)
                    # Never cut short: channels-redis would take it to be subscribed.
                    await self._layer.group_discard(group, self.channel)

    def _is_wanted(self, group: str) -> bool:
        return group == EVERYBODY or group in self._groups

    async def echo(self) -> None:
        """Send this process a message through the channel layer, and await it.

        It may be lost: then another has to be sent.
        """
        self._echo.clear()
        async with asyncio.timeout(outage.TIMEOUT):
            await self._layer.send(self.channel, Message(Kind.ECHO).encode())
            await self._echo.wait()

    async def is_back(self) -> bool:
        """Try what has failed. Returns whether it is heard again, after it was not."""
        failed = tuple(layer_outage.failed)
        await asyncio.gather(*(send(group, Message(Kind.ECHO)) for group in failed))
        if layer_outage.failed:
            return False
        return bool(failed) or await self._hear_again()

    async def _hear_again(self) -> bool:
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
                    "Connections to the channel layer are dead: opening new ones."
                )
            else:
                return False
            self._listening.cancel()
            try:
                async with asyncio.timeout(outage.TIMEOUT):
                    await self._layer.flush()
            finally:
                self.channel, self._heard_at = "", time.monotonic()
                await self.renew()
                self._listening = self._tasks.spawn(self._listen())
        return True

    async def _open_channel(self) -> None:
        async with asyncio.timeout(outage.TIMEOUT):
            self.channel = await self._layer.new_channel()

    async def _listen(self) -> None:
        while True:
            try:
                with layer_outage.noticed(EVERYBODY):
                    if not self.channel:
                        await self._open_channel()
                    received = await self._layer.receive(self.channel)
                    self._heard_at = time.monotonic()
                    self.understand(received)
                    continue
            except ValueError as error:  # as channels-redis decodes it
                logger.warning(DROPPED, error)
                await asyncio.sleep(PAUSE)
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
            logger.warning(DROPPED, error)
            return
        if message.kind is Kind.ECHO:
            self._echo.set()
            return
        try:
            self._hear(message)
        except Exception:
            logger.exception("A message of another process cannot be acted on.")
