"""A Redis that Sentinel looks after dies, and its replica takes over."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from baking import Variables
from chatting import Page, assert_complete, delays, talking
from fleet import SERVERS, UNLIMITED, Fleet, at, wait_until
from outages import LIVE, RESUME, process_id
from sentinels import ask, watched
from serving import Visitor

CACHE = """
from django.core.cache import cache

cache.set("kept", 1)
print(cache.get("kept", 0))
"""


def test_live_delivery_moves_to_the_replica(
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    tmp_path: Path,
    note: Callable[[str], None],
) -> None:
    with watched(tmp_path) as redis, ExitStack() as stack:
        fleet = launch({**postgres, **UNLIMITED, "REDIS_URL": redis.url})
        servers = [fleet.start(name) for name in SERVERS]
        people = fleet.invite(servers[0], "ada", "bob")
        pages = [
            stack.enter_context(Page(at(server, person)))
            for server, person in zip(servers, people, strict=True)
        ]
        with talking(pages, pause=0.4) as said:
            wait_until(lambda: len(pages[0].shown) > 3, "people talk")
            start = time.monotonic()
            os.kill(process_id(redis.master), signal.SIGKILL)
            took_over = wait_until(
                lambda: "role:master" in ask(redis.replica.port, "INFO replication"),
                "the replica is the master",
            )
            time.sleep(RESUME + 1)
        assert_complete(pages, said, fleet.stored)

        fleet.assert_quiet()
        assert fleet.ask(CACHE) == 1
        for server in servers:
            answer = Visitor(server).get("/health/ready")
            assert answer.status_code == 200, answer.text
        assert [page.connections for page in pages] == [1] * len(pages)
        assert "chat.room" in ask(redis.replica.port, "PUBSUB CHANNELS *")
        heard = sorted(pair for page in pages for pair in delays(page))
        back = start + took_over
        late = [moment for moment, delay in heard if moment > back and delay > LIVE]
        resumed = max(late, default=back) - back
        assert resumed < RESUME, [(m - back, d) for m, d in heard if d > LIVE]
    note(
        f"The Redis under Sentinel killed: its replica took over after "
        f"{took_over:.1f} s, live delivery {resumed:.1f} s later; "
        f"{len(said)} messages, none lost or doubled, in the same connections"
    )
