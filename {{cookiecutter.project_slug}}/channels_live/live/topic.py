"""One region as the pages of a process show it, and how it is read: once for many changes,
and many keys together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from itertools import islice

from channels_live.base.frames import dump
from channels_live.base.work import Lane, Tasks
from channels_live.delivery.socket import Socket
from channels_live.live.names import Key
from channels_live.live.place import Place
from channels_live.live.region import Live
from channels_live.live.rendering import Read, Rights, State, answer
from channels_live.observe.outage import RETRY_AFTER, database_outage

logger = logging.getLogger(__name__)

# Keys that are read in one visit to a thread, and visits of one region at a time.
BATCH = 50
VISITS = 2
# From one visit for a topic to the next, in seconds.
PAUSE = 0.1
# For how long others may come after a visit, to be read together, in seconds.
GATHERING = 0.05
FAILURE = (
    "%s with the key %r fails: pages keep the last state; users for whom allows() fails "
    "do not see the region until it works again."
)


class Page:
    """A page, by its socket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.topics: dict[str, Topic] = {}


class View:
    """A topic on a page."""

    __slots__ = ("digest", "is_checked", "is_live")

    def __init__(self, digest: str) -> None:
        self.digest = digest  # of what the page shows
        self.is_checked = False  # whether the user may see it
        self.is_live = False  # as the page has been told


class Topic:
    """What a process shows of a key in one language: its state, its pages, what is to do."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.subject = place.subject
        self.name = place.topic
        self.views: dict[Page, View] = {}
        self.event = ""  # the last state that could be read, as pages get it
        self.digest = ""
        self.is_stale = True
        self.has_failed = False
        self.is_busy = False  # asked for right now, or a moment ago
        self.asked: dict[Page, View] = {}  # whose rights are asked for with that

    @property
    def is_wanted(self) -> bool:
        """Whether there is something to ask for."""
        views = self.views.values()
        return any(self.is_stale or not view.is_checked for view in views)

    def add(self, page: Page, digest: str) -> None:
        self.is_stale |= self.digest != digest
        # Of several elements of a page, one may show an older state.
        shown = self.views.get(page)
        self.views[page] = View(
            digest if shown is None or shown.digest == digest else ""
        )
        page.topics[self.name] = self

    def discard(self, page: Page) -> None:
        self.views.pop(page, None)
        page.topics.pop(self.name, None)

    def changed(self) -> None:
        """Have it read anew, and the rights to see it."""
        self.is_stale = True
        for view in self.views.values():
            view.is_checked = False

    def begin(self) -> bool:
        """Begin to ask for what is wanted. Returns whether it is to be read."""
        is_read, self.is_stale = self.is_stale or self.has_failed, False
        views = self.views.items()
        self.asked = {page: view for page, view in views if not view.is_checked}
        for view in self.asked.values():
            view.is_checked = True
        return is_read

    def answer(self, state: Read | None, rights: Rights) -> list[Exception]:
        """Show pages what was read, or take from them what they may not see.

        Those that were not asked for are, before they are shown what has changed.
        Returns what has failed, unless something did before.
        """
        if isinstance(state, State):
            if self.digest != state.digest:
                for page, view in self.views.items():
                    view.is_checked &= page in self.asked
            self.digest = state.digest
            self.event = dump(
                {"topic": self.name, "html": state.html, "digest": state.digest}
            )
        for page, view in self.asked.items():
            right = rights.get(page.socket.scope["user"].pk)
            if self.views.get(page) is not view:
                continue  # it has gone, or asks anew
            if right is not True:
                page.socket.outbox.write(dump({"gone": self.name}), self.name)
                view.digest, view.is_live = "", False
                if right is None:  # else it will be asked again
                    self.discard(page)
            elif not isinstance(state, Exception):
                self._show(page, view)
        errors = [
            one for one in (state, *rights.values()) if isinstance(one, Exception)
        ]
        had_failed, self.has_failed = self.has_failed, bool(errors)
        return [] if had_failed else errors

    def _show(self, page: Page, view: View) -> None:
        if view.digest != self.digest:
            page.socket.outbox.write(self.event, self.name)
        elif not view.is_live:
            page.socket.outbox.write(dump({"topic": self.name}), self.name)
        view.digest, view.is_live = self.digest, True


class Reader:
    """Reads what is wanted of one region."""

    def __init__(self, region: type[Live], tasks: Tasks) -> None:
        self._region = region
        self._tasks = tasks
        # Of its own: who is slow holds up nobody else's work.
        self._lane = Lane(f"live-{region.name}", VISITS)
        self._waiting: dict[Topic, None] = {}
        self._workers = 0

    def want(self, topic: Topic) -> None:
        """Ask for what a topic needs, with others of the same moment."""
        if topic.is_wanted and not topic.is_busy:
            self._waiting[topic] = None
            if self._workers < VISITS:
                self._workers += 1
                self._tasks.spawn(self._work())

    async def _work(self) -> None:
        try:
            while self._waiting:
                setting = next(iter(self._waiting)).place.setting
                like = (one for one in self._waiting if one.place.setting == setting)
                topics = list(islice(like, BATCH))
                for topic in topics:
                    del self._waiting[topic]
                    topic.is_busy = True
                await self._visit(topics)
                if len(self._waiting) < BATCH:
                    await asyncio.sleep(GATHERING)
        finally:
            self._workers -= 1

    async def _visit(self, topics: list[Topic]) -> None:
        loop = asyncio.get_running_loop()
        rested = loop.time() + PAUSE
        stale = [topic.place.key for topic in topics if topic.begin()]
        asked = {
            topic.place.key: {page.socket.scope["user"].pk for page in topic.asked}
            for topic in topics
        }
        answers = None
        try:
            with database_outage.noticed(self._region.name):
                setting = topics[0].place.setting
                visit = self._lane.in_thread(answer)
                answers = await visit(self._region, setting, stale, asked)
                database_outage.end(self._region.name)
        except Exception as bug:  # before a region was asked
            answers = (
                dict.fromkeys(stale, bug),
                {key: dict.fromkeys(pks, bug) for key, pks in asked.items()},
            )
        finally:
            if answers is None:
                rested = loop.time() + RETRY_AFTER
                for topic in topics:
                    topic.changed()
            loop.call_at(rested, self._go_on, topics)
        if answers is not None:
            self._show(topics, *answers)

    def _show(
        self,
        topics: list[Topic],
        states: Mapping[Key, Read],
        rights: Mapping[Key, Rights],
    ) -> None:
        errors = {}
        for topic in topics:
            key = topic.place.key
            for error in topic.answer(states.get(key), rights[key]):
                errors[repr(error)] = key, error
        for key, error in errors.values():
            logger.error(FAILURE, self._region.name, key, exc_info=error)

    def _go_on(self, topics: list[Topic]) -> None:
        for topic in topics:
            topic.is_busy = False
            self.want(topic)
