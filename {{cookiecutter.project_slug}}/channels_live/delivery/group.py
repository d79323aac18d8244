"""A group as one process sees it: the sockets it has here, and what they saw last."""

import asyncio
from collections.abc import Mapping, Sized
from contextlib import suppress

from channels_live.base.batch import Batch
from channels_live.base.close_code import CloseCode, Refused
from channels_live.delivery.fragments import Fragment, History, as_fragment, in_order
from channels_live.delivery.outbox import Audience, Outbox, join
from channels_live.observe import metrics
from channels_live.observe.complaints import complain
from channels_live.observe.outage import database_outage

# Fragments kept in memory, for sockets that come back: of all groups of a process
# together, and of each as many at least and at most.
KEPT = 5000
FEWEST, RECENT = 5, 200
# The most that a socket is sent to catch up; of more it is told.
CATCH_UP = 300
# For how long a missing number may still arrive, in seconds.
PATIENCE = 0.02
NO_HISTORY = (
    "A numbered fragment was published to the group %r, which has no history. Join the "
    "group with history=…, or publish without a number."
)


class Group(Audience):
    """Puts fragments in order.

    With a history, every socket gets each numbered fragment once and in order: what
    the channel layer loses, doubles or overtakes is made good from the history.
    """

    def __init__(self, name: str, *, peers: Sized = (), is_json: bool = False) -> None:
        super().__init__(name, is_json=is_json)
        self.history: History | None = None
        self.newest: Batch[str, int] | None = None  # the history's last_numbers()
        self.joining = 0
        self.last = -1  # the newest number that went out; -1 before it is known
        self.base = -1  # `recent` holds what came after this number, without a gap
        self.recent: list[Fragment] = []
        self._peers = peers  # all groups of the process
        self._outages = 0  # of the database, until `last` was asked for
        self._early: dict[int, Fragment] = {}
        self._syncing = asyncio.Lock()
        self._repair: asyncio.Task[None] | None = None

    def history_changed(self) -> None:
        """Read anew what sockets that come back are sent."""
        self.recent, self.base = [], self.last

    def forget(self) -> None:
        """Begin again with what the history has when somebody comes."""
        self.last = -1
        self.history_changed()
        self._early.clear()

    def contradicts(self, fragment: Fragment) -> bool:
        """Whether something else went out with the number of a fragment, or may have.

        What went out before `recent` begins is not known any more. Then it is late,
        unless the database was away: it may have lost its last commits.
        """
        if fragment.number > self.last:
            return False
        if fragment.number <= self.base:
            return fragment.number > 0 and self._outages != database_outage.count
        return any(
            one.number == fragment.number and one.html != fragment.html
            for one in self.recent
        )

    def receive(self, fragment: Fragment) -> None:
        """Take a fragment from the channel layer."""
        if fragment.number and self.history is None:
            complain(NO_HISTORY, self.name)
        if not fragment.number or self.history is None:
            self.broadcast(fragment.html, fragment.published)
        elif fragment.number > self.last:
            self._early[fragment.number] = fragment
            self._send_in_order()

    async def add(self, outbox: Outbox, after: int | None) -> None:
        """Write to a socket from now on, and first what it missed since `after`.

        Raises Refused if the history does not reach that far.
        """
        if self.history is not None:
            # What the page shows already must not be broadcast to it later on.
            if self.last < (known := max(0, after or 0)):
                await self.sync(known)
            if self.last < known:
                raise Refused(CloseCode.OUTDATED)
            if after is not None:
                await self._catch_up(outbox, self.history, max(0, after))
        # A waiting frame is for those who were here; the newcomer has had it.
        self.flush()
        self.outboxes.add(outbox)

    async def sync(self, least: int) -> None:
        """Send what the history has, unless all up to that number has gone out."""
        async with self._syncing:
            if self.history is None or self.newest is None or self.last >= least:
                return
            newest = await self.newest.get(self.name) or 0
            if self.last < 0:  # before anyone is here to be sent it
                self.last = self.base = newest
                self._outages = database_outage.count
            while self.last < newest:
                fragments = await self._load(self.history, self.last, CATCH_UP)
                for fragment in fragments:
                    if fragment.number > self.last:
                        metrics.repaired.inc()
                        self._append(fragment)
                if len(fragments) < CATCH_UP:
                    # What is missing still has been deleted since.
                    self.last = max(self.last, newest)
        self._early = {n: early for n, early in self._early.items() if n > self.last}
        self._send_in_order()

    def _send_in_order(self) -> None:
        while fragment := self._early.pop(self.last + 1, None):
            self._append(fragment)
        if self._early and self._repair is None:
            self._repair = asyncio.create_task(self._repair_soon())

    async def _repair_soon(self) -> None:
        await asyncio.sleep(PATIENCE)
        asked = set(self._early)
        with suppress(Exception):  # the next look mends it, or says why it cannot
            await self.sync(max(asked, default=0))
        # What the history does not have is not waited for: it was never stored.
        self._early = {n: one for n, one in self._early.items() if n not in asked}
        self._repair = None
        self._send_in_order()

    def _append(self, fragment: Fragment) -> None:
        self.last = fragment.number
        self.recent.append(fragment)
        self.trim()
        self.broadcast(fragment.html, fragment.published)

    def trim(self) -> None:
        """Keep no more than a group may when there are so many."""
        if (excess := len(self.recent) - self._capacity) > 0:
            self.base = self.recent[excess - 1].number
            del self.recent[:excess]

    @property
    def _capacity(self) -> int:
        return min(RECENT, max(FEWEST, KEPT // (len(self._peers) or 1)))

    def as_text(self, content: str | Mapping[str, object]) -> str:
        """Return what sockets are written. Raises TypeError for the other form."""
        return as_fragment(content, is_json=self.is_json).html

    async def _load(self, history: History, after: int, limit: int) -> list[Fragment]:
        loaded = await history.load(self.name, after, limit)
        fragments = [as_fragment(one, is_json=self.is_json) for one in loaded]
        return in_order(fragments, after, history)

    async def recall(self, history: History, after: int) -> None:
        """Read what came since a number, unless it is too much, once for all who ask."""
        async with self._syncing:
            recent, base = self.recent, self.base
            room = self._capacity - len(recent)
            if not 0 < base - after <= room:
                return
            # Of those who come next, some have missed more.
            start = max(0, base - room) if recent else after
            loaded = await self._load(history, start, base - start)
            if recent is self.recent and base == self.base:  # still
                recent[:0] = [one for one in loaded if one.number <= base]
                self.base = start

    async def _catch_up(self, outbox: Outbox, history: History, after: int) -> None:
        if self.last - after > CATCH_UP:
            start = self.last - CATCH_UP
            outbox.write(self.as_text(history.skipped(self.name, after, start)))
            after = start
            metrics.skips.inc()
        await self.recall(history, after)
        if after < self.last:
            source = "database" if after < self.base else "memory"
            metrics.catch_ups.labels(source).inc()
        while not outbox.closed:
            if after < self.base:
                loaded = await self._load(history, after, CATCH_UP)
                # What has not gone out yet comes to all, and so to this one.
                missed = [one for one in loaded if one.number <= self.last]
            else:
                missed = [one for one in self.recent if one.number > after]
                if not missed:
                    return  # at once: nothing may come before the socket is added
            for frame in join((one.html for one in missed), is_json=self.is_json):
                outbox.write(frame)
                await outbox.drain()
            after = missed[-1].number if missed else max(after, self.base)
