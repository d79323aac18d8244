"""How regions are read: once for many changes, and many keys together."""

import asyncio
import logging
from collections.abc import Mapping
from itertools import islice

from channels_live.base.tasks import Tasks
from channels_live.base.threads import Lane
from channels_live.live.names import Key
from channels_live.live.region import Live
from channels_live.live.rendering import Read, Rights, answer
from channels_live.live.topic import Topic
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
            topic.place.key: {socket.scope["user"].pk for socket in topic.asked}
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
