"""Reads what is stale of one region: once for many changes, and many keys together."""

import asyncio
import logging
from collections import defaultdict
from itertools import batched
from weakref import WeakSet

from channels_live.base.work import Tasks, in_thread
from channels_live.live.ledger import Ledger
from channels_live.live.region import Live
from channels_live.live.rendering import Answer, Question, answer
from channels_live.live.topic import Page, Topic
from channels_live.observe.outage import RETRY_AFTER, database_outage

logger = logging.getLogger(__name__)

# Keys that are read in one visit to a thread, and visits of one region at a time.
BATCH = 50
VISITS = 3
# From one reading of a topic to the next, in seconds.
PAUSE = 0.1


class Reader:
    def __init__(self, region: type[Live], ledger: Ledger, tasks: Tasks) -> None:
        self._region = region
        self._ledger = ledger
        self._tasks = tasks
        self._waiting: dict[Topic, None] = {}
        self._visits = 0
        self._timer: asyncio.TimerHandle | None = None
        self._failed: WeakSet[Topic] = WeakSet()
        self._logged: set[str] = set()

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
        ready: defaultdict[tuple[str, str], list[Topic]] = defaultdict(list)
        later = []
        for topic in tuple(self._waiting):
            if topic.is_busy:
                continue
            if not topic.pages:
                del self._waiting[topic]
            elif topic.due > now:
                later.append(topic.due)
            else:
                ready[topic.place.language, topic.place.prefix].append(topic)
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
        try:
            with database_outage.noticed():
                answers = await self._ask(asked)
                database_outage.end()
        finally:
            self._visits -= 1
            for topic in asked:
                topic.is_busy = False
            if answers:
                self._show(asked, answers)
            else:
                self._ask_again(asked)

    async def _ask(self, asked: dict[Topic, tuple[bool, set[Page]]]) -> list[Answer]:
        place = next(iter(asked)).place
        questions = [
            Question(
                topic.place.key,
                is_stale,
                {page.user.pk: page.user for page in pages if page in topic.pages},
            )
            for topic, (is_stale, pages) in asked.items()
        ]

        def ask() -> list[Answer]:
            self._ledger.begin()
            return answer(self._region, place.language, place.prefix, questions)

        return await in_thread(ask)()

    def _show(
        self, asked: dict[Topic, tuple[bool, set[Page]]], answers: list[Answer]
    ) -> None:
        written = set()
        for (topic, (_, pages)), found in zip(asked.items(), answers, strict=True):
            written |= pages
            topic.apply(found, pages)
            self._log(topic, found)
            if topic.is_stale or topic.unchecked:
                self._waiting[topic] = None
        for page in written:
            page.outbox.flush()
        self._wake(0)

    def _ask_again(self, asked: dict[Topic, tuple[bool, set[Page]]]) -> None:
        loop = asyncio.get_running_loop()
        for topic, (is_stale, pages) in asked.items():
            topic.is_stale |= is_stale
            topic.unchecked |= pages & topic.pages.keys()
            topic.due = loop.time() + RETRY_AFTER
            self._waiting[topic] = None
        self._wake(0)

    def _log(self, topic: Topic, found: Answer) -> None:
        """Log an error once, until the region can be read again."""
        if not topic.has_failed:
            self._failed.discard(topic)
            if not self._failed:
                self._logged.clear()
            return
        self._failed.add(topic)
        for error in (found.state, found.allowed):
            if isinstance(error, Exception) and repr(error) not in self._logged:
                self._logged.add(repr(error))
                logger.error(
                    "%s with the key %r cannot be shown anew; pages keep what they have.",
                    self._region.name,
                    topic.place.key,
                    exc_info=error,
                )
