"""The regions that the pages of one process show, and whether they are as they should be.

Nothing is compared by time or number: what has changed is read anew, so the last reading
begins after the last commit, whatever the order of both.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable

from channels_live.base.messages import FOR_ALL, Message
from channels_live.base.tasks import Tasks
from channels_live.base.threads import in_own_thread
from channels_live.delivery.socket import Socket
from channels_live.live.changes import Ledger, Notice, aliases, clear
from channels_live.live.place import Place
from channels_live.live.reader import Reader
from channels_live.live.region import Live
from channels_live.live.topic import Topic
from channels_live.observe.outage import database_outage


class Topics:
    """Keeps the pages of a process as the database has them."""

    def __init__(
        self,
        tasks: Tasks,
        hear_row: Callable[[str], None],
        check_sockets: Callable[[], Awaitable[None]],
    ) -> None:
        """`hear_row` is given rows that are messages for all, and `check_sockets` is
        called where rows may have been missed."""
        self._tasks = tasks
        self._hear_row = hear_row
        self._check_sockets = check_sockets
        # By their subjects; then, as there is one for each language, by their names.
        self._topics: defaultdict[str, dict[str, Topic]] = defaultdict(dict)
        self._readers: dict[type[Live], Reader] = {}
        self._ledgers: dict[str, Ledger] = {}  # by the databases' aliases
        self._known: list[Ledger] = []  # as they were when rows were deleted last
        self._heard: set[Notice] = set()  # since the databases were read
        self.unknown: set[str] = set()  # databases that have not answered
        self._has_looked = False
        self._looking = asyncio.Lock()

    def watch(self, socket: Socket, pairs: Iterable[tuple[Place, str]]) -> list[Topic]:
        """Keep regions on a page, which shows the states with these digests now."""
        topics = []
        for place, digest in pairs:
            new = Topic(place)
            topic = self._topics[new.subject].setdefault(new.name, new)
            topic.add(socket, digest)
            topics.append(topic)
        for topic in topics:
            self._want(topic)
        return topics

    def hear(self, message: Message) -> None:
        """Act on what another process says has changed."""
        for subject, row in message.pairs:
            self._heard.add((subject, row))
            self.changed(subject)

    def changed(self, subject: str = "") -> None:
        """Read anew what a subject shows, or without one whatever is shown."""
        if subject.startswith(FOR_ALL):
            self._hear_row(subject)
            return
        subjects = [subject]
        if not subject or subject.endswith(" "):  # all keys of a region
            subjects = [one for one in self._topics if one.startswith(subject)]
        for one in subjects:
            for topic in self._topics.get(one, {}).values():
                topic.changed()
                self._want(topic)

    def check(self, sockets: Collection[Socket] | None = None) -> None:
        """Ask again who may see what is shown, by these sockets alone if given."""
        for topic in [one for each in self._topics.values() for one in each.values()]:
            for socket, view in topic.views.items():
                view.is_checked &= sockets is not None and socket not in sockets
            self._want(topic)
            if not topic.views:
                del self._topics[topic.subject][topic.name]
                if not self._topics[topic.subject]:
                    del self._topics[topic.subject]

    async def look(self) -> None:
        """Find what changed though no message said so."""
        async with self._looking:
            heard, self._heard = self._heard, set()
            # Each is a part of its own: one that is away must not hold up the others.
            looks = (self._look_at(alias, heard) for alias in aliases())
            try:
                await asyncio.gather(*looks)
            finally:
                self._has_looked = True

    async def _look_at(self, alias: str, heard: set[Notice]) -> None:
        self.unknown.add(alias)
        with database_outage.noticed(alias):
            subjects: list[str] | None = None
            if ledger := self._ledgers.get(alias):
                subjects = await in_own_thread(ledger.read)(heard)
            if is_new := subjects is None:
                self._ledgers[alias] = await in_own_thread(Ledger)(alias)
            database_outage.end(alias)
            for subject in subjects or ():
                self.changed(subject)
            if is_new:
                self.changed()
                if self._has_looked:  # at first, all have only just come
                    await self._check_sockets()
            self.unknown.discard(alias)

    async def clear(self) -> None:
        """Delete what everybody knows."""
        self._known = await in_own_thread(clear)(self._known)

    def _want(self, topic: Topic) -> None:
        region = topic.place.region
        if region not in self._readers:
            self._readers[region] = Reader(region, self._tasks)
        self._readers[region].want(topic)
