"""The regions that the pages of one process show, and whether they are as they should be.

Nothing is compared by time or number: what has changed is read anew, so the last reading
begins after the last commit, whatever the order of both.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable

from channels_live.base.messages import Message
from channels_live.base.work import Tasks, in_own_thread
from channels_live.delivery.hub import Hub
from channels_live.delivery.socket import Socket
from channels_live.live.changes import aliases, bucket
from channels_live.live.ledger import Cleaner, Database, Notice
from channels_live.live.listening import Relay, Relays
from channels_live.live.names import Place
from channels_live.live.reader import Reader
from channels_live.live.region import Live
from channels_live.live.topic import Page, Topic
from channels_live.observe.outage import database_outage


class Topics:
    """Keeps the pages of a process as the database has them."""

    def __init__(self, hub: Hub, tasks: Tasks) -> None:
        self.relays = Relays(hub)
        self._hub = hub
        self._tasks = tasks
        self._topics: dict[str, Topic] = {}
        self._by_subject: defaultdict[str, set[Topic]] = defaultdict(set)
        self._readers: dict[type[Live], Reader] = {}
        self._databases: list[Database] = []
        self._looking = asyncio.Lock()
        self._cleaner = Cleaner()
        self._heard: set[Notice] = set()  # since the databases were read
        # Joins the groups that carry notices, in the place of sockets.
        self._ear = Relay("")
        self._buckets: set[str] = set()

    async def watch(self, page: Page, places: dict[Place, str]) -> None:
        """Show regions on a page, which shows the states with these digests now."""
        topics = {self._add(place): digest for place, digest in places.items()}
        for topic, digest in topics.items():
            topic.add(page, digest)
        buckets = {bucket(topic.subject) for topic in topics} - self._buckets
        self._buckets |= buckets
        # First to be told, then to read.
        await asyncio.gather(*(self._hub.join(one, self._ear) for one in buckets))
        if not self._databases:
            await asyncio.wait([self._tasks.spawn(self.look())])
        for topic in topics:
            self._want(topic)

    def unwatch(self, page: Page, names: Iterable[str]) -> None:
        """Show regions on a page no more."""
        for name in names:
            if topic := page.topics.get(name):
                topic.discard(page)

    def hear(self, message: Message) -> None:
        """Act on what another process says has changed."""
        if self._topics:
            for subject, row in message.pairs:
                self._heard.add((subject, row))
                self.changed(subject)

    def changed(self, subject: str) -> None:
        """Read anew what a subject shows."""
        if subject.endswith(" "):
            for topic in self._topics.values():
                if topic.subject.startswith(subject):
                    self._changed(topic)
        for topic in self._by_subject.get(subject, ()):
            self._changed(topic)

    def all_changed(self) -> None:
        """Read anew whatever is shown."""
        for topic in self._topics.values():
            self._changed(topic)

    def check(self, sockets: Collection[Socket] | None = None) -> None:
        """Ask again who may see what is shown, by these sockets alone if given."""
        for topic in self._topics.values():
            topic.unchecked.update(
                page
                for page in topic.pages
                if sockets is None or page.socket in sockets
            )
            if topic.has_failed:
                topic.is_stale = True
            self._want(topic)

    async def look(self) -> None:
        """Find what changed though no message said so."""
        await self._sweep()
        async with self._looking:
            databases = []
            if self._topics:
                databases = self._databases or [Database(one) for one in aliases()]
            heard, self._heard = self._heard, set()
            try:
                await asyncio.gather(*(self._look_at(one, heard) for one in databases))
            finally:
                self._databases = databases

    async def _look_at(self, database: Database, heard: set[Notice]) -> None:
        # Each is a part of its own: one that is away must not hold up the others.
        with database_outage.noticed(database.alias):
            subjects = await in_own_thread(database.read)(heard)
            database_outage.end(database.alias)
            # At first, nothing that is shown has been read: see watch().
            if subjects is None and database in self._databases:
                self.all_changed()
            for subject in subjects or ():
                self.changed(subject)

    async def clear(self) -> None:
        """Delete what everybody knows."""
        await in_own_thread(self._cleaner.clear)()

    def _add(self, place: Place) -> Topic:
        topic = self._topics.get(place.topic)
        if topic is None:
            topic = self._topics[place.topic] = Topic(place)
            self._by_subject[topic.subject].add(topic)
        return topic

    def _changed(self, topic: Topic) -> None:
        topic.is_stale = True
        topic.unchecked.update(topic.pages)
        self._want(topic)

    def _want(self, topic: Topic) -> None:
        region = topic.place.region
        if region not in self._readers:
            self._readers[region] = Reader(region, self._tasks)
        if topic.pages:
            self._readers[region].want(topic)

    async def _sweep(self) -> None:
        """Forget what no page shows any more."""
        for name, topic in tuple(self._topics.items()):
            if not topic.pages:
                del self._topics[name]
                self._by_subject[topic.subject].discard(topic)
                if not self._by_subject[topic.subject]:
                    del self._by_subject[topic.subject]
        unused = self._buckets - {bucket(one) for one in self._by_subject}
        self._buckets -= unused
        await asyncio.gather(*(self._hub.quit(one, self._ear) for one in unused))
