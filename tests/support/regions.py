"""A page with a live region without a browser, and processes that change regions."""

import asyncio
import json
import random
import re
import subprocess
from contextlib import suppress
from html import unescape

from baking import environment
from fleet import Fleet
from serving import Server, Visitor
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

# Whose bells ring.
NAMES = ("ada", "bob", "eve", "zoe")
# Seconds until all pages have to show what is stored. A connection that fell silent is
# given up after 12.
QUIET = 20
CHANCE = random.Random()  # noqa: S311
REGION = re.compile(
    r'<live-region name="(.+?)" topic="(.+?)" digest="(.+?)".*?>(.*?)</live-region>',
    re.S,
)
CHANGE = """
import random, time
from django.db import InterfaceError, OperationalError, connection, transaction
from apps.notifications.live import Bell
from apps.notifications.models import Notification
from apps.users.models import User

def change():
    users = list(User.objects.filter(username__in={names!r}).order_by("pk"))
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


if {pause}:  # as a server: who goes silent is given up, and locks nothing for long
    from config.postgresql import limit_statements
    limit_statements()
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
    except (InterfaceError, OperationalError) as error:
        if "deadlock" not in str(error) and not {pause}:
            raise
        connection.close()
    time.sleep(random.uniform(0, {pause}))
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


class RegionPage:
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
        self.is_gone = False  # for who must not see it any more

    async def live(self) -> None:
        while True:
            server = CHANCE.choice(self.servers)
            with suppress(OSError, TimeoutError, WebSocketException):
                async with connect(
                    f"{server.websocket_url}/ws/live/",
                    origin=server.url,  # type: ignore[arg-type]
                    additional_headers=self.headers,
                    open_timeout=5,
                    close_timeout=1,
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
            self.is_gone = "gone" in event
            topic = event["gone" if self.is_gone else "topic"]
            assert topic in {self.topic, self.name}, event
            if "html" in event:
                self.events += 1
                self.html, self.digest = event["html"], event["digest"]

    @property
    def unread(self) -> int:
        found = re.search(r"(\d+) unread", self.html)
        assert found, self.html
        return int(found[1])


def write(fleet: Fleet, count: int, pause: float = 0) -> subprocess.Popen[bytes]:
    """Change bells so often; who pauses up to so many seconds survives outages too."""
    script = CHANGE.format(names=NAMES, count=count, pause=pause)
    return subprocess.Popen(
        [fleet.project.python, "manage.py", "shell", "--no-imports", "-c", script],
        cwd=fleet.project.path,
        env=environment(fleet.env),
    )


async def assert_current(fleet: Fleet, pages: list[RegionPage]) -> None:
    """Soon, every page shows what is stored."""
    for page in pages:
        page.is_calm = True
    names = [page.owner for page in pages]
    stored = await asyncio.to_thread(fleet.ask, STORED.format(names=names))
    for _ in range(QUIET * 10):
        wrong = [
            page for page in pages if page.is_gone or page.unread != stored[page.owner]
        ]
        if not wrong:
            return
        await asyncio.sleep(0.1)
    raise AssertionError([(page.owner, page.unread, stored) for page in wrong])
