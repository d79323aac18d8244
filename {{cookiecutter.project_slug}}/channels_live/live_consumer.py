"""The one socket of a page, for all of its live regions and `listen` tags."""

import asyncio
from typing import Any

from django.utils.translation import gettext as _

from channels_live.base.asgi import Receive, Scope, Send
from channels_live.base.frames import InvalidFrame
from channels_live.consumers import JsonConsumer
from channels_live.live.names import Foreign, owner, unsign
from channels_live.live.place import Outdated, Place
from channels_live.live.topic import Topic
from channels_live.observe.complaints import complain

# Regions of one page, whose states may all wait for a socket that does not read.
MAX_REGIONS = 1000


class LiveConsumer(JsonConsumer):
    """Updates what the tags live and listen have put into a page.

    Frames from the browser are {"watch": [[name, digest], …], "listen": [name, …],
    "unwatch": [topic or group, …]}; each part is optional, and names are signed.
    Frames to the browser are arrays of events:

    {"topic", "html", "digest"}    the state of a region; without the html, as the page has it
    {"gone": topic or name}        what may not be seen, any more or at all
    {"listen": group, "html"}      what was published; without the html, nothing yet
    {"reload": true}               the page is of another release
    {"error": sentence}            what was wrong with a frame
    """

    topics: dict[str, Topic]  # that the page shows, or showed, by their names

    async def enter(self) -> None:
        """Let everybody in: what they may ask for is signed."""
        self.topics = {}
        self.socket.outbox.is_page = True

    async def receive_json(self, content: dict[str, Any]) -> None:
        watch = content.get("watch", [])
        if not isinstance(watch, list) or not all(is_texts(pair, 2) for pair in watch):
            raise InvalidFrame(_('Expected {"watch": [[name, digest], …]}.'))
        for part in ("unwatch", "listen"):
            if not is_texts(content.get(part, [])):
                raise InvalidFrame(_('Expected {"unwatch": […], "listen": […]}.'))
        for name in content.get("unwatch", ()):
            self._unwatch(name)
            await self.quit(name)
        await asyncio.gather(*map(self._listen, content.get("listen", ())))
        self._watch(watch)

    def _watch(self, pairs: list[tuple[str, str]]) -> None:
        bound_to = owner(self.scope["user"], self.scope["session"])
        places = []
        for name, digest in pairs:
            try:
                places.append((Place.unsign(name, bound_to), digest))
            except Foreign:
                self.push({"gone": name})
            except Outdated:
                self.push({"reload": True})
        shown = sum(self.socket in topic.views for topic in self.topics.values())
        if shown + len(places) > MAX_REGIONS:
            raise InvalidFrame(_("This page has too many live regions."))
        for topic in self.process.live.watch(self.socket, places):
            self.topics[topic.name] = topic

    def _unwatch(self, name: str) -> None:
        if topic := self.topics.pop(name, None):
            topic.views.pop(self.socket, None)

    async def _listen(self, name: str) -> None:
        try:
            bound_to = owner(self.scope["user"], self.scope["session"])
            (group,) = unsign("listen", name, bound_to)
        except Foreign:
            self.push({"gone": name})
            return
        try:
            await self.join(group)
        except ValueError as error:  # the page's other elements are right
            complain(str(error))
            await self.quit(group)
            self.push({"gone": group, "error": str(error)})
        else:
            self.push({"listen": group})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            for name in tuple(self.__dict__.get("topics", ())):
                self._unwatch(name)


def is_texts(value: object, length: int | None = None) -> bool:
    """Whether a value is a list of texts, of that length if one is given."""
    return (
        isinstance(value, list)
        and len(value) == (length or len(value))
        and all(isinstance(one, str) for one in value)
    )
