"""The base of every consumer that listens to groups."""

import asyncio
import time
from collections.abc import Collection
from typing import Any, Self

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from apps.realtime.codes import (
    ABNORMAL_CLOSURE,
    INTERNAL_ERROR,
    MESSAGE_TOO_BIG,
    NO_CODE,
    NORMAL_CLOSURE,
    POLICY_VIOLATION,
    TRY_AGAIN_LATER,
)
from apps.realtime.control import label
from apps.realtime.counts import counts
from apps.realtime.frames import MAX_FRAME, FrameBudget, InvalidFrame, decode
from apps.realtime.history import History
from apps.realtime.hub import Hub, get_hub
from apps.realtime.names import check_name
from apps.realtime.outage import DATABASE_ERRORS, database_outage
from apps.realtime.outbox import Outbox
from apps.realtime.presence import Roster

# What a browser asks to know whether anybody is there still, and what it hears.
PING = "ping"
PONG = "<!-- pong -->"


class Refused(Exception):  # noqa: N818
    """Raised in `enter` where someone may not; carries the close code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class RealtimeConsumer(AsyncWebsocketConsumer):
    """A socket that listens to groups.

    A subclass says who may enter in `enter`, which joins groups, and what a frame
    does in `receive_json`. Published fragments do not pass through the consumer at
    all: the hub writes them to the socket.
    """

    scope: Any
    hub: Hub
    outbox: Outbox
    farewell: asyncio.Task[None] | None = None
    is_counted = False  # among the open ones

    async def enter(self) -> None:
        """Join groups, or raise Refused."""
        raise NotImplementedError(
            f"{type(self).__name__} has to say who may enter, in a method enter()."
        )

    @classmethod
    def find_unwelcome(cls, sockets: Collection[Self]) -> dict[Self, int]:
        """Return which of these sockets may not stay, and the close code for each.

        Asked in a thread, for all sockets of a process at once, every 30 seconds and
        when the channel layer is back: `disconnect` tells what happens at once.
        """
        return {}

    async def receive_json(self, content: dict[str, Any]) -> None:
        """Act on a frame from the browser, or raise InvalidFrame."""

    async def reject(self, sentence: str) -> None:
        """Tell the browser what was wrong with its frame."""

    async def join(
        self,
        group: str,
        *,
        history: History | None = None,
        after: int | None = None,
        roster: Roster | None = None,
    ) -> None:
        """Listen to a group.

        With a `history`, first comes what the page missed since number `after`. With
        a `roster`, whoever is in the group is shown to all in it.
        """
        check_name(group)
        self.hub.registry.add(self, label("group", group))
        self.joined.append(group)
        await self.hub.join(group, self.outbox, history=history, after=after)
        if roster and self.scope["user"].is_authenticated:
            self.hub.presence.enter(group, self.scope["user"].pk, roster)
            self.present.append(group)

    def push(self, html: str) -> None:
        """Write a fragment to this socket alone. Never waits."""
        self.outbox.write(html)

    def let_go(self, code: int) -> None:
        """Close the socket from outside of it; nothing is written to it any more."""
        if self.farewell is None:
            self.outbox.close()
            self.count_out("let_go", code)
            self.farewell = asyncio.create_task(self.close(code=code))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Channels would subscribe each socket to a channel of its own.
        self.scope = scope
        self.base_send = send
        self.hub = get_hub()
        self.opened: float = scope.get("opened", time.monotonic())
        self.labels: set[str] = set()
        self.joined: list[str] = []
        self.present: list[str] = []
        self.budget = FrameBudget(settings.WEBSOCKET_FRAMES_PER_SECOND)
        self.outbox = Outbox(
            scope.get("unlogged_send", send),
            on_overflow=lambda: self.let_go(TRY_AGAIN_LATER),
        )
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        except Exception:
            self.count_out("closed", INTERNAL_ERROR)
            raise
        finally:
            self.count_out("left", ABNORMAL_CLOSURE)
            await self.leave()

    async def leave(self) -> None:
        self.outbox.close()
        self.hub.registry.remove(self)
        for group in self.present:
            self.hub.presence.leave(group, self.scope["user"].pk)
        for group in self.joined:
            await self.hub.leave(group, self.outbox)

    async def dispatch(self, message: Any) -> None:
        # A socket that was closed is not listened to, even if it goes on talking.
        if message["type"] == "websocket.receive" and self.outbox.closed:
            return
        if message["type"] == "websocket.disconnect":
            self.count_out("left", message.get("code") or NO_CODE)
        # Channels would visit a thread before each message, for the database's sake.
        try:
            await getattr(self, get_handler_name(message))(message)
        except DATABASE_ERRORS as error:
            database_outage.begin(error)

    async def connect(self) -> None:
        await self.accept()
        counts.opened += 1
        self.is_counted = True
        await self.hub.start()
        if self.scope["user"].is_authenticated:
            self.hub.registry.add(self, label("user", self.scope["user"].pk))
            self.hub.registry.add(
                self, label("session", self.scope["session"].session_key)
            )
        try:
            await self.enter()
        except Refused as refusal:
            self.count_out("refused", refusal.code)
            await self.close(code=refusal.code)
        except DATABASE_ERRORS as error:
            database_outage.begin(error)
            self.count_out("refused", TRY_AGAIN_LATER)
            await self.close(code=TRY_AGAIN_LATER)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        counts.received += 1
        if len(text_data or bytes_data or "") > MAX_FRAME:
            await self.close(code=MESSAGE_TOO_BIG)
            return
        if not self.budget.spend():
            await self.close(code=POLICY_VIOLATION)
            return
        if text_data == PING:
            self.push(PONG)
            return
        try:
            await self.receive_json(decode(text_data))
        except InvalidFrame as error:
            await self.reject(str(error))

    async def close(
        self, code: int | bool | None = None, reason: str | None = None
    ) -> None:
        self.outbox.close()
        self.count_out(
            "closed", NORMAL_CLOSURE if code is None or code is True else code
        )
        await super().close(code=code, reason=reason)

    def count_out(self, how: str, code: int) -> None:
        """Count a socket that ends, with the first reason for it."""
        if self.is_counted:
            self.is_counted = False
            counts.close(how, code)
