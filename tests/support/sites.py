"""Running chat sites, with people in them who are logged in already."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baking import NOTHING, Kitchen, Project, Variables
from people import Person
from playwright.sync_api import Browser
from serving import PASSWORD, Server, free_port, serve
from shells import Shell

CLIENTS = ("htmx", "javascript")
NAMES = ("ada", "bob", "eve", "grace", "linus", "margaret")

SETTLE = """
import json, sys
from django.contrib.auth.hashers import make_password
from django.test import Client
from apps.users.models import User

password = make_password({password!r})
sessions = {{}}
for name in {names!r}:
    user = User(username=name, email=f"{{len(sessions)}}@example.org")
    user.password = password
    user.is_staff = user.is_superuser = name == "margaret"
    user.save()
    client = Client()
    client.force_login(user)
    sessions[name] = client.cookies["sessionid"].value
print(json.dumps(sessions))
"""

FILL = """
import datetime, uuid
from django.utils.timezone import now
from django.utils.text import slugify
from apps.chat.models import Message, Room
from apps.users.models import User

name = {room!r}
room = Room.objects.filter(name=name).first() or Room.objects.get_or_create(
    slug=slugify(name), defaults=dict(name=name)
)[0]
users = {{user.username: user for user in User.objects.all()}}
last = room.last_number
said = {said!r}
Message.objects.bulk_create(
    Message(
        room=room,
        author=users[author],
        text=text,
        number=number,
        client_id=uuid.uuid4(),
    )
    for number, (author, text) in enumerate(said, last + 1)
)
Room.objects.filter(pk=room.pk).update(last_number=last + len(said))
"""


@dataclass(frozen=True)
class Site:
    """A chat site that runs; `sessions` are its people's cookies, by name."""

    server: Server
    project: Project
    client: str
    sessions: dict[str, str]
    shell: Shell

    def invite(self, browser: Browser, name: str, **options: Any) -> Person:
        """Seat somebody at a new browser, logged in."""
        url = self.server.url
        return Person(browser, url, session=self.sessions[name], **options)

    def fill(self, room: str, *said: tuple[str, str]) -> None:
        """Store (author, text) in a room, behind the back of the server."""
        self.shell.run(FILL.format(room=room, said=said))

    def settle(self, *names: str) -> None:
        """Make people and log them in."""
        code = SETTLE.format(names=names, password=PASSWORD)
        self.sessions.update(json.loads(self.shell.run(code)))


def runserver(project: Project, port: int) -> list[str | Path]:
    address = f"127.0.0.1:{port}"
    return [project.python, "manage.py", "runserver", "--noreload", address]


@contextmanager
def serve_chat(
    kitchen: Kitchen, client: str, change: Callable[[Path], None] | None = None
) -> Iterator[Site]:
    """Serve a new project with a chat; `change` is given its folder first."""
    project = kitchen.bake({"chat_client": client, "project_name": "Bob's Café"})
    if change:
        change(project.path)
    # In all tests together, one person makes more rooms than people do.
    env = {"CHAT_ROOM_LIMIT": "1000 per hour"}
    with serve_project(project, client, env=env) as site:
        yield site


@contextmanager
def serve_project(
    project: Project, client: str = "", *, env: Variables = NOTHING
) -> Iterator[Site]:
    """Serve a project on a database of its own, with people in it."""
    port = free_port()
    command = runserver(project, port)
    with Shell(project, env) as shell:
        shell.migrate()
        with serve(command, cwd=project.path, port=port, env=env) as server:
            site = Site(server, project, client, {"": ""}, shell)
            site.settle(*NAMES)
            yield site
            assert "Traceback" not in server.log, server.log
