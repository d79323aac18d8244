"""Base classes of consumers that join groups: for pages, and for scripts and apps."""

from collections.abc import Collection, Coroutine, Mapping
from contextvars import copy_context
from typing import Any, ClassVar, Never, Self

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from channels_live.base.asgi import Event, Receive, Scope, Send
from channels_live.base.close_code import CloseCode, Refused
from channels_live.base.frames import InvalidFrame, decode, encode
from channels_live.base.messages import check_name, label
from channels_live.base.tasks import Tasks
from channels_live.delivery.fragments import History, as_fragment
from channels_live.delivery.socket import Socket
from channels_live.observe.outage import database_outage
from channels_live.presence import Roster
from channels_live.process import Process, get_process

# The heartbeat of a client, and the answer to it.
PING = "ping"
PONG = "<!-- pong -->"


class Consumer(AsyncWebsocketConsumer):
    """Base class of consumers that join groups.

    A subclass overrides `enter`, which decides who may connect and joins groups, and
    `receive_json`, which handles frames. Published fragments do not pass through the
    consumer: they are written to its socket.
    """

    scope: Scope
    socket: Socket
    process: Process
    pong: ClassVar[str] = PONG
    is_json: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        if cls.groups:
            raise TypeError(
                f"{cls.__name__}.groups is not supported: join groups in enter(), with "
                "await self.join(…)."
            )
        if "connect" in vars(cls):
            raise TypeError(
                f"{cls.__name__}.connect is not supported: it would let everybody in. "
                "Decide who may connect in enter()."
            )

    @property
    def channel_layer(self) -> Never:
        raise AttributeError(
            "Consumers of channels_live have no channel layer: use self.join(group) "
            "instead of group_add(), and publish() instead of group_send()."
        )

    async def enter(self) -> None:
        """Join groups, or raise Refused."""
        raise NotImplementedError(
            f"{type(self).__name__} must define enter(), which decides who may connect."
        )

    @classmethod
    def revoked(cls, consumers: Collection[Self]) -> dict[Self, int]:
        """Return the consumers that have lost access, each with a close code.

        Called in a thread, with all consumers of the class in a process, every 30
        seconds and when the channel layer is back. To disconnect people at once, call
        `disconnect`.
        """
        return {}

    async def receive_json(self, content: dict[str, Any]) -> None:
        """Handle a frame from the browser, or raise InvalidFrame."""

    async def reject(self, sentence: str) -> None:
        """Tell the browser why its frame is invalid."""

    async def join(
        self,
        group: str,
        *,
        history: History | None = None,
        after: int | None = None,
        roster: Roster | None = None,
    ) -> None:
        """Receive what is published to a group.

        With a `history`, first receive what the page missed since number `after`; with
        None, nothing. With a `roster`, show the users in the group to everyone in it.
        Raises ValueError if other sockets joined the group with another history, or for
        JSON, not HTML; Refused if the history has lost that number.
        """
        check_name(group)
        self.process.registry.add(self.socket, label("group", group))
        self._joined.add(group)
        await self.process.hub.join(
            group, self.socket.outbox, history=history, after=after
        )
        if group not in self._joined:  # but was left meanwhile
            self.process.hub.quit(group, self.socket.outbox)
        elif roster is not None:
            self.process.presence.enter(group, self.socket, roster)

    async def quit(self, group: str) -> None:
        """Stop receiving what is published to a group."""
        if group in self._joined:
            self._joined.remove(group)
            self.process.presence.leave(group, self.socket)
            self.process.registry.discard(self.socket, label("group", group))
            self.process.hub.quit(group, self.socket.outbox)

    def push(self, html: str) -> None:
        """Write a fragment to this socket alone. Never waits."""
        self.socket.outbox.write(as_fragment(html).html)

    def spawn(self, coroutine: Coroutine[object, object, None]) -> None:
        """Run a coroutine while frames are read. It is cancelled when the socket closes.

        Its exceptions are logged.
        """
        self._tasks.spawn(coroutine, copy_context())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Channels would subscribe each socket to a channel of its own.
        if "socket" not in scope:
            raise TypeError(
                f"{type(self).__name__} must be routed by websocket_application()."
            )
        self.scope = scope
        self.base_send = send
        self.process = get_process()
        self.socket = scope["socket"]
        self.socket.scope = scope
        self.socket.consumer = self
        self.socket.outbox.is_json = self.is_json
        self._tasks = Tasks()
        self._joined: set[str] = set()
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            self._tasks.cancel()
            for group in tuple(self._joined):
                await self.quit(group)

    async def dispatch(self, event: Event) -> None:
        # Channels would visit a thread before each message, for the database's sake.
        with database_outage.noticed():
            await getattr(self, get_handler_name(event))(event)

    async def connect(self) -> None:
        await self.accept()
        with database_outage.noticed():
            await self.enter()
            return
        raise Refused(CloseCode.TRY_AGAIN_LATER)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None
    ) -> None:
        if text_data == PING:
            self.socket.outbox.write(self.pong)
            return
        try:
            await self.receive_json(decode(text_data))
        except InvalidFrame as error:
            await self.reject(str(error))
        except Refused as refusal:
            await self.close(code=refusal.code)


class JsonConsumer(Consumer):
    """Base class of consumers for JSON: groups carry events, which are JSON objects.

    Frames from the client are objects. Frames to the client are arrays of events: events
    in quick succession share a frame. The answer to "ping" is an empty array.
    """

    pong = "[]"
    is_json = True

    def push(self, event: Mapping[str, object]) -> None:  # type: ignore[override]
        """Write an event to this socket alone. Never waits."""
        self.socket.outbox.write(encode(event))

    async def reject(self, sentence: str) -> None:
        """Tell the client why its frame is invalid."""
        self.push({"error": sentence})
