"""What was shown as sent is kept, however often the server is killed."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from baking import Variables
from chatting import Page, assert_complete, talking
from fleet import SERVERS, UNLIMITED, Fleet, kill, wait_until
from serving import free_port

KILLS = 20
# Of a page that missed much more, the server says so instead of sending it all.
BEHIND = 100  # messages


# In `make test`, test_chaos.py kills servers.
@pytest.mark.deep
def test_nothing_is_lost_when_the_server_is_killed_in_mid_traffic(
    launch: Callable[[Variables], Fleet],
    sqlite: Variables,
    note: Callable[[str], None],
) -> None:
    fleet = launch({**sqlite, **UNLIMITED})
    port = free_port()
    server = fleet.start(SERVERS[0], port)
    people = fleet.invite(server, "ada", "bob", "cy", "dee", "eve")
    in_flight = 0
    with ExitStack() as stack:
        pages = [stack.enter_context(Page(one, hurry=16)) for one in people]
        start = time.monotonic()
        with talking(pages, pause=0.05) as said:
            for turn in range(1, KILLS + 1):
                shown = len(pages[0].shown)
                wait_until(
                    lambda: len(pages[0].shown) > shown,  # noqa: B023
                    "it goes on",
                )
                wait_until(
                    lambda: pages[0].last - min(page.last for page in pages) < BEHIND,
                    "nobody is far behind",
                )
                time.sleep(random.uniform(0, 0.5))  # noqa: S311
                kill(server)
                in_flight += sum(bool(page.pending) for page in pages)
                server = fleet.start(SERVERS[turn % 2], port)
        assert_complete(pages, said, fleet.stored)
    seconds = time.monotonic() - start
    fleet.assert_quiet()
    assert in_flight
    note(
        f"killed {KILLS} times in {seconds:.0f} s of traffic, {in_flight} messages on "
        f"their way: all {len(said)} messages of 5 people stored once, and every page "
        "shows the same list"
    )
