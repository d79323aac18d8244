"""Reads what is stale of one region: once for many changes, and many keys together."""

import asyncio
import logging
from collections.abc import Mapping
from itertools import islice

from channels_live.base.work import Lane, Tasks
from channels_live.delivery.group import complain
from channels_live.live.keys import Key
from channels_live.live.region import Live
from channels_live.live.rendering import Rights, State, answer
from channels_live.live.topic import Topic
from channels_live.observe.outage import RETRY_AFTER, database_outage

logger = logging.getLogger(__name__)

# Keys that are read in one visit to a thread, and visits of one region at a time.
BATCH = 50
VISITS = 2
# A visit that takes longer is logged, in seconds.
SLOW = 3
FAILURE = (
    "%s with the key %r fails: pages keep what they have; who was asked about in vain, "
    "in allows(), sees it no more until it works again."
)
SLOW_REGION = f"Reading %s takes more than {SLOW} seconds; only its own pages wait."
# From one visit for a topic to the next, in seconds.
PAUSE = 0.1


class Reader:
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
                await self._visit(topics)
        finally:
            self._workers -= 1

    async def _visit(self, topics: list[Topic]) -> None:
        name, loop = self._region.name, asyncio.get_running_loop()
        rested = loop.time() + PAUSE
        for topic in topics:
            topic.begin()
        stale = [topic.place.key for topic in topics if topic.is_read]
        users = [
            (one.place.key, {page.user.pk for page in one.asked}) for one in topics
        ]
        visit = self._lane.in_thread(answer)
        is_answered = False
        clock = loop.call_later(SLOW, complain, SLOW_REGION, name)
        try:
            with database_outage.noticed(name):
                setting = topics[0].place.setting
                answers = await visit(self._region, setting, stale, users)
                database_outage.end(name)
                self._show(topics, *answers)
                is_answered = True
        finally:
            clock.cancel()
            if not is_answered:
                rested = loop.time() + RETRY_AFTER
                for topic in topics:
                    topic.ask_again()
            loop.call_at(rested, self._go_on, topics)

    def _show(
        self,
        topics: list[Topic],
        states: Mapping[Key, State | Exception],
        rights: list[Rights],
    ) -> None:
        errors: dict[str, tuple[Topic, Exception]] = {}
        for topic, those in zip(topics, rights, strict=True):
            state = states.get(topic.place.key)
            topic.answer(state, those)
            found = [
                one for one in (state, *those.values()) if isinstance(one, Exception)
            ]
            if not topic.has_failed:  # else it has been logged
                errors.update((repr(error), (topic, error)) for error in found)
            topic.has_failed = bool(found)
        for topic, error in errors.values():
            logger.error(FAILURE, self._region.name, topic.place.key, exc_info=error)

    def _go_on(self, topics: list[Topic]) -> None:
        for topic in topics:
            topic.is_busy = False
            self.want(topic)
