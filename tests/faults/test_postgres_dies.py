"""PostgreSQL crashes: messages wait on the page, and are sent when it is back."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from baking import Variables
from chatting import Page, assert_complete, talking
from fleet import (
    SERVERS,
    UNLIMITED,
    Fleet,
    at,
    new_database,
    running_postgres,
    wait_until,
)
from outages import crash, revive

AWAY = 6  # seconds: longer than a page waits before it sends again
ONCE = "The database cannot be used"


def test_messages_wait_for_the_database_and_sockets_outlive_it(
    launch: Callable[[Variables], Fleet],
    redis_url: str,
    note: Callable[[str], None],
) -> None:
    with running_postgres() as postgres, ExitStack() as stack:
        fleet = launch({**new_database(postgres), **UNLIMITED, "REDIS_URL": redis_url})
        servers = [fleet.start(name) for name in SERVERS]
        people = fleet.invite(servers[0], "ada", "bob", "cy", "dee")
        pages = [
            stack.enter_context(Page(at(servers[number % 2], person)))
            for number, person in enumerate(people)
        ]
        with talking(pages, pause=0.7) as said:
            wait_until(lambda: len(pages[0].shown) > 5, "people talk")
            crash(postgres)
            time.sleep(AWAY)
            assert all(page.pending for page in pages)
            assert all(page.online for page in pages)
            fleet.assert_quiet()
            assert [server.log.count(ONCE) for server in servers] == [1, 1]

            answers = [at(server, people[0]).get("/chat/") for server in servers]
            assert [answer.status_code for answer in answers] == [503, 503]
            assert not any("Traceback" in answer.text for answer in answers)
            assert all("<title>" in answer.text for answer in answers)

            revive(postgres)
            waiting = {key for page in pages for key in page.pending}
            sent = wait_until(
                lambda: not any(waiting & page.pending.keys() for page in pages),
                "what waited is sent",
            )
        assert_complete(pages, said, fleet.stored)
        assert [page.connections for page in pages] == [1] * len(pages)
        wait_until(
            lambda: all("The database is back" in server.log for server in servers),
            "the log says so",
        )
    note(
        f"PostgreSQL gone for {AWAY} s: {len(said)} messages, none lost or doubled; "
        f"{len(waiting)} waited on the pages and were sent {sent:.1f} s after its "
        "return, in the same connections; logged once"
    )
