"""Reads what is stale of one region: once for many changes, and many keys together."""

import asyncio
import logging
from collections import defaultdict
from itertools import batched

from channels_live.base.work import Lane, Tasks
from channels_live.delivery.group import complain
from channels_live.live.region import Live
from channels_live.live.rendering import Answer, Question, answer
from channels_live.live.topic import Page, Topic
from channels_live.observe.outage import RETRY_AFTER, database_outage

logger = logging.getLogger(__name__)

# Keys that are read in one visit to a thread, and visits of one region at a time.
BATCH = 50
VISITS = 2
# A visit that takes longer is logged, in seconds.
SLOW = 3
FAILURE = (
    "%s with the key %r fails: pages keep what they have; who was asked about in vain, "
    "in allows(), sees it no more."
)
SLOW_REGION = f"Reading %s takes more than {SLOW} seconds; only its own pages wait."
# From one reading of a topic to the next, in seconds.
PAUSE = 0.1


class Reader:
    def __init__(self, region: type[Live], tasks: Tasks) -> None:
        self._region = region
        self._tasks = tasks
        # Of its own: who is slow holds up nobody else's work.
        self._lane = Lane(f"live-{region.name}", VISITS)
        self._waiting: dict[Topic, None] = {}
        self._visits = 0
        self._timer: asyncio.TimerHandle | None = None

    def want(self, topic: Topic) -> None:
        """Ask for what a topic needs, with others of the same moment."""
        self._waiting[topic] = None
        self._wake(0)

    def _wake(self, when: float) -> None:
        """Work at a time by the loop's clock, or as soon as can be."""
        if self._timer is None or self._timer.when() > when:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_at(when, self._work)

    def _work(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        ready: defaultdict[object, list[Topic]] = defaultdict(list)
        later = []
        for topic in tuple(self._waiting):
            if topic.is_busy:
                continue
            if not topic.pages:
                del self._waiting[topic]
            elif topic.due > now:
                later.append(topic.due)
            else:
                ready[topic.place.setting].append(topic)
        for topics in ready.values():
            for batch in batched(topics, BATCH):
                if self._visits < VISITS:
                    self._begin(batch, now)
        if later:
            self._wake(min(later))

    def _begin(self, batch: tuple[Topic, ...], now: float) -> None:
        asked = {}
        for topic in batch:
            del self._waiting[topic]
            asked[topic] = (topic.is_stale, topic.unchecked)
            if topic.is_stale:
                topic.due = now + PAUSE
            topic.is_stale, topic.unchecked, topic.is_busy = False, set(), True
        self._visits += 1
        self._tasks.spawn(self._visit(asked))

    async def _visit(self, asked: dict[Topic, tuple[bool, set[Page]]]) -> None:
        answers: list[Answer] = []
        name = self._region.name
        loop = asyncio.get_running_loop()
        clock = loop.call_later(SLOW, complain, SLOW_REGION, name)
        try:
            with database_outage.noticed(name):
                answers = await self._ask(asked)
                database_outage.end(name)
        finally:
            clock.cancel()
            self._visits -= 1
            for topic in asked:
                topic.is_busy = False
            if answers:
                self._show(asked, answers)
            else:
                self._ask_again(asked)

    async def _ask(self, asked: dict[Topic, tuple[bool, set[Page]]]) -> list[Answer]:
        setting = next(iter(asked)).place.setting
        questions = [
            Question(
                topic.place.key,
                is_stale,
                {page.user.pk for page in pages if page in topic.pages},
            )
            for topic, (is_stale, pages) in asked.items()
        ]

        return await self._lane.in_thread(answer)(self._region, setting, questions)

    def _show(
        self, asked: dict[Topic, tuple[bool, set[Page]]], answers: list[Answer]
    ) -> None:
        written = set()
        errors: dict[str, tuple[Topic, Exception]] = {}
        for (topic, (_, pages)), found in zip(asked.items(), answers, strict=True):
            written |= pages
            # What failed before has been logged.
            if isinstance(found.state, Exception) and not topic.has_failed:
                errors[repr(found.state)] = topic, found.state
            errors.update((repr(error), (topic, error)) for error in found.errors)
            topic.apply(found, pages)
            if topic.is_stale or topic.unchecked:
                self._waiting[topic] = None
        for page in written:
            page.outbox.flush()
        name = self._region.name
        for topic, error in errors.values():
            logger.error(FAILURE, name, topic.place.key, exc_info=error)
        self._wake(0)

    def _ask_again(self, asked: dict[Topic, tuple[bool, set[Page]]]) -> None:
        loop = asyncio.get_running_loop()
        for topic, (is_stale, pages) in asked.items():
            topic.is_stale |= is_stale
            topic.unchecked |= pages & topic.pages.keys()
            topic.due = loop.time() + RETRY_AFTER
            self._waiting[topic] = None
        self._wake(0)
