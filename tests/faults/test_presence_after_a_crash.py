"""Who is in a room, across processes, also after one of them has crashed."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from baking import Variables
from chatting import Page
from fleet import SERVERS, Fleet, at, kill, wait_until

SOON = 2  # seconds that a join or a leave may take to show
CRASH = 30


def test_joins_and_leaves_show_at_once_and_crashes_soon(
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    redis_url: str,
    note: Callable[[str], None],
) -> None:
    fleet = launch({**postgres, "REDIS_URL": redis_url})
    here, there = (fleet.start(name) for name in SERVERS)
    ada, bob, cy = fleet.invite(here, "ada", "bob", "cy")

    def shows(*names: str) -> float:
        return wait_until(lambda: page.people == list(names), f"{names} are here", 40)

    with Page(ada) as page, ExitStack() as stack:
        shows("ada")
        start = time.monotonic()
        tab = stack.enter_context(Page(at(there, bob)))
        shows("ada", "bob")
        join = time.monotonic() - start

        with Page(bob):
            rooms = ada.get("/chat/").text
            assert "2 here" in rooms
            tab.leave()
            time.sleep(SOON)
            assert page.people == ["ada", "bob"]
        leave = shows("ada")

        stack.enter_context(Page(at(there, cy)))
        shows("ada", "cy")
        kill(there)
        crash = shows("ada")
        assert "1 here" in ada.get("/chat/").text
    assert max(join, leave) < SOON
    assert crash < CRASH
    note(
        f"presence across 2 processes: a join shows after {join:.1f} s, a leave after "
        f"{leave:.1f} s, people of a crashed process are gone after {crash:.0f} s; two "
        "tabs count once"
    )
