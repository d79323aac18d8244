"""What a process of the server has, once: built when its first socket comes."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from uuid import uuid4
from weakref import WeakKeyDictionary

from channels_live.base.batch import Batch
from channels_live.base.messages import FOR_ALL, Kind, Message
from channels_live.base.tasks import Tasks, serving
from channels_live.base.threads import in_own_thread
from channels_live.delivery.hub import Hub
from channels_live.delivery.sending import act_here
from channels_live.delivery.socket import Socket
from channels_live.live.changes import KEEP
from channels_live.live.topics import Topics
from channels_live.logins import load_logins
from channels_live.observe.outage import TIMEOUT, database_outage, layer_outage
from channels_live.presence import Tracker
from channels_live.revocation import Registry, recheck

logger = logging.getLogger(__name__)

# How often a process looks after something, in seconds.
PRESENCE_INTERVAL = 0.5
LOOK_INTERVAL = 0.5
REPAIR_INTERVAL = 2
BEAT_INTERVAL = 5
CHECK_INTERVAL = 30
# While nobody is here: or what is written down would be unknown to whoever comes.
IDLE_INTERVAL = KEEP / 5
RENEWAL_INTERVAL = 3600
# Messages to all that are kept in mind: each comes twice, by the channel layer and by a row.
TOLD = 1000


class Process:
    """The hub, the registry, presence, live regions, and the jobs that see to them.

    So nothing depends on a message alone: what was lost is found by looking.
    """

    def __init__(self) -> None:
        self.id = uuid4()
        self.is_ending = False
        self.sockets: set[Socket] = set()
        self.tasks = Tasks()
        self.registry = Registry(lambda those: self.tasks.spawn(self.recheck(those)))
        self.logins = Batch(in_own_thread(load_logins))
        self.hub = Hub(self.hear, self.tasks)
        self.presence = Tracker(self.id, self.hub)
        self.live = Topics(self.tasks, self.hear_row, self.check_sockets)
        self._told: deque[Message] = deque(maxlen=TOLD)  # by others, or by itself
        self._has_looked(time.monotonic(), layer_outage.count)
        self._has_started = False
        self._starting = asyncio.Lock()
        act_here(str(self.id), self.hear)

    async def start(self) -> None:
        async with self._starting:
            if self._has_started:
                return
            await self.hub.bus.start()
            # What is said from now on has to be found. A job looks again, and logs errors.
            with suppress(Exception):
                async with asyncio.timeout(TIMEOUT):
                    await self.live.look()
            for interval, job in (
                (PRESENCE_INTERVAL, self.presence.tell),
                (LOOK_INTERVAL, self.look),
                (IDLE_INTERVAL, self.live.look),
                (REPAIR_INTERVAL, self.repair),
                (REPAIR_INTERVAL, self.hub.bus.subscribe_all),
                (REPAIR_INTERVAL, self.probe),
                (BEAT_INTERVAL, self.presence.beat),
                (CHECK_INTERVAL, self.check_sockets),
                (KEEP, self.live.clear),
                (RENEWAL_INTERVAL, self.hub.bus.renew),
            ):
                self.tasks.spawn(every(interval, job))
            self._has_started = True
            serving.add(asyncio.get_running_loop())

    async def end(self) -> None:
        """Do nothing any more, and be in no group."""
        self.tasks.cancel()
        # What fails is logged, and keeps no server from ending.
        await asyncio.wait([self.tasks.spawn(self.presence.end())], timeout=TIMEOUT)

    def hear(self, message: Message) -> None:
        """Act on a message of any process, unless this one has done so already."""
        if message.sender == str(self.id):
            return
        if message.kind in (Kind.DISCONNECT, Kind.RECHECK, Kind.HISTORY_CHANGED):
            if message in self._told:
                return
            self._told.append(message)
        match message.kind:
            case Kind.DISCONNECT:
                self.registry.revoke(message.labels, message.code)
            case Kind.RECHECK:
                self.registry.revoke(message.labels)
            case Kind.PRESENCE_CHANGED:
                self.presence.changed(message.group)
            case Kind.CHANGED:
                if self.sockets:  # or it concerns nobody here
                    self.live.hear(message)
            case _ if not self.is_blind or message.kind is Kind.HISTORY_CHANGED:
                self.hub.receive(message)

    def hear_row(self, subject: str) -> None:
        """Act on a message to all that was found in the database."""
        self.hub.bus.understand(json.loads(subject.removeprefix(FOR_ALL)))

    @property
    def is_blind(self) -> bool:
        """Whether it may not know who had to leave: neither messages nor rows are sure.

        Then nothing of groups is delivered. What has a number comes later.
        """
        is_late = time.monotonic() - self._looked_at > TIMEOUT
        return is_late and layer_outage.count != self._outages

    async def look(self) -> None:
        """Find what others have said though no message came."""
        began = time.monotonic(), layer_outage.count
        if self.sockets:
            await self.live.look()
        if not self.sockets or not self.live.unknown:
            self._has_looked(*began)

    def _has_looked(self, began: float, outages: int) -> None:
        self._looked_at = began
        self._outages = -1 if layer_outage.failed else outages

    async def repair(self) -> None:
        if layer_outage.failed:  # so nobody says who has come and gone
            self.presence.all_changed()
        if not self.is_blind:
            await self.hub.repair()

    async def probe(self) -> None:
        """See whether what failed of the channel layer is back, and whether it is heard."""
        if await self.hub.bus.is_back():
            # What was told meanwhile was not heard.
            self._outages = -1
            self.hub.is_in_doubt = True
            self.presence.all_changed()
            self.live.changed()
            await self.check_sockets()

    async def check_sockets(self) -> None:
        """Close the sockets of those who should have been told to go, and were not."""
        self.live.check()
        await self.registry.check()

    async def recheck(self, sockets: Collection[Socket]) -> None:
        """Close these sockets where the login is over; the others may see less."""
        self.live.check(set(sockets))
        await recheck(sockets)


async def every(interval: float, job: Callable[[], Awaitable[None]]) -> None:
    """Do a job again and again. The same bug is logged once."""
    logged = ""
    while True:
        await asyncio.sleep(interval)
        try:
            with database_outage.noticed():
                await job()
                logged = ""
        except Exception as bug:
            if logged != (logged := repr(bug)):
                logger.exception("The job %s fails; trying again.", job.__name__)


# A process has one event loop; its tests have many.
_processes: WeakKeyDictionary[asyncio.AbstractEventLoop, Process] = WeakKeyDictionary()


def get_process() -> Process:
    """Return the process of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _processes:
        _processes[loop] = Process()
    return _processes[loop]


def is_ending() -> bool:
    """Return whether this process has begun to shut down, and accepts no new sockets."""
    return get_process().is_ending
