"""Hands what is published to a group to the pages that listen to it."""

from channels_live.base.asgi import Event
from channels_live.delivery.hub import Hub
from channels_live.delivery.outbox import Outbox
from channels_live.live.outbox import EventOutbox, as_event


class Relay(Outbox):
    """Stands for the pages of a process that listen to a group: one event for all."""

    is_relay = True

    __slots__ = ("group", "pages")

    def __init__(self, group: str) -> None:
        super().__init__(nowhere, on_overflow=lambda: None)
        self.group = group
        self.pages: set[EventOutbox] = set()

    def write(self, frame: str) -> None:
        event = as_event(listen=self.group, html=frame)
        for page in tuple(self.pages):
            page.append(event)

    def write_event(self, event: Event) -> None:
        self.write(event["text"])


async def nowhere(event: Event) -> None:
    pass


class Relays:
    """The relays of a process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._relays: dict[str, Relay] = {}

    async def add(self, group: str, page: EventOutbox) -> None:
        """Hand a group's fragments to a page."""
        relay = self._relays.get(group)
        if relay is None:
            relay = self._relays[group] = Relay(group)
        relay.pages.add(page)
        await self._hub.join(group, relay)

    async def discard(self, group: str, page: EventOutbox) -> None:
        relay = self._relays.get(group)
        if relay is not None:
            relay.pages.discard(page)
            if not relay.pages:
                del self._relays[group]
                await self._hub.quit(group, relay)
