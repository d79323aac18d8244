"""A server that is told to end loses nobody: its sockets are told to come back."""

import json
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from uuid import uuid4

import pytest
from baking import Project, Variables
from chatting import STORED, Page, assert_complete, talking
from fleet import SERVERS, UNLIMITED, Fleet, terminate, wait_until
from requests import Response
from serving import PASSWORD, Server, Visitor, free_port, receive_until, serve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

ROOM = "/ws/chat/lobby/?after=0"
SOCKETS = 100
PEOPLE = 10
GUESTS = 20
PAGE = "/health/live"
TALKERS = 8
ROUNDS, DEEP_ROUNDS = 1, 2
LARGE = 30_000_000  # bytes
COME_BACK = 1012
LIMIT = 10  # seconds, on a busy machine
# What a process ends with: daphne by itself, uvicorn by the signal that it was sent.
STATUS = {"daphne": 0, "uvicorn": -signal.SIGTERM}
PROCESSES = """
from channels_live.models import Process
print(Process.objects.count())
"""


@pytest.fixture
def fleet(
    launch: Callable[[Variables], Fleet], postgres: Variables, redis_url: str
) -> Fleet:
    return launch({**postgres, **UNLIMITED, "REDIS_URL": redis_url})


def read_to_the_end(connection: ClientConnection) -> tuple[int, list[str]]:
    """The close code of a socket, and the client_ids that were acknowledged."""
    frames = []
    try:
        while True:
            frames.append(str(connection.recv(timeout=20)))
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else 1006
    keys = STORED.findall("".join(frames))
    return code, [key.replace("-", "") for key in keys]


def fill_in(visitor: Visitor, name: str) -> Callable[[], Response]:
    """A login form that is ready to be sent."""
    url = f"{visitor.server.url}/accounts/login/"
    form = visitor.session.get(url).text
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    return partial(
        visitor.session.post,
        url,
        data={"csrfmiddlewaretoken": token, "login": name, "password": PASSWORD},
        headers={"Referer": url},
        allow_redirects=False,
        timeout=20,
    )


@contextmanager
def hushed(visitor: Visitor) -> Iterator[None]:
    """A socket in the lobby that is open, and answers nothing, not even its closing."""
    with visitor.connect(ROOM) as connection:
        connection.send("ping")
        receive_until(connection, "pong")
        with connection.protocol_mutex:
            yield


@pytest.fixture
def large_file(production: Project) -> Iterator[str]:
    """Its path; it is more than the buffers of a connection take."""
    path = production.path / "static" / "site_root" / "large.txt"
    path.write_bytes(LARGE * b"x")
    yield f"/{path.name}"
    path.unlink()


@contextmanager
def unread(server: Server, path: str) -> Iterator[None]:
    """A connection that asks for a file, and reads the beginning of it only."""
    with closing(HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read(1)
        yield


@contextmanager
def knocking(visitor: Visitor) -> Iterator[list[int]]:
    """Ask for a page again and again, each time with a new connection."""
    answers: list[int] = []
    is_over = threading.Event()

    def knock() -> None:
        while not is_over.wait(0.02):
            visitor.session.close()
            answers.append(visitor.get("/").status_code)

    with ThreadPoolExecutor() as pool:
        knocks = pool.submit(knock)
        try:
            yield answers
        finally:
            is_over.set()
            knocks.result(30)


def test_sockets_are_answered_and_told_to_come_back(
    fleet: Fleet, server_name: str, note: Callable[[str], None]
) -> None:
    server = fleet.start(server_name)
    people = fleet.invite(server, *(f"person-{number}" for number in range(PEOPLE)))
    # The pool waits for its threads, and these for the sockets.
    with ThreadPoolExecutor(SOCKETS + 1) as pool, ExitStack() as stack:
        sockets = [
            stack.enter_context(people[number % PEOPLE].connect(ROOM))
            for number in range(SOCKETS)
        ]
        for one in sockets:
            one.send("ping")
            receive_until(one, "pong")
        ends = [pool.submit(read_to_the_end, one) for one in sockets]
        login = pool.submit(fill_in(Visitor(server), "person-1"))
        time.sleep(0.2)  # a password takes longer to be hashed
        for one in sockets:
            one.send(json.dumps({"message": "bye", "client_id": uuid4().hex}))
        status, seconds = terminate(server)
        codes, acknowledged = zip(*(end.result(20) for end in ends), strict=True)
    stored = {message.client_id for message in fleet.stored()}
    assert set(codes) == {COME_BACK}
    assert {key for keys in acknowledged for key in keys} == stored
    assert login.result().status_code == 302
    assert login.result().headers["Connection"] == "close"
    assert status == STATUS[server_name]
    assert seconds < LIMIT
    assert fleet.ask(PROCESSES) == 0
    fleet.assert_quiet()
    note(
        f"{server_name} with {SOCKETS} sockets is gone {seconds:.1f} s after SIGTERM: "
        f"all read {COME_BACK}; of {SOCKETS} messages sent in that moment, "
        f"{len(stored)} are stored and acknowledged, the others neither"
    )


def test_requests_on_their_way_are_answered(fleet: Fleet, server_name: str) -> None:
    server = fleet.start(server_name)
    with ExitStack() as stack:

        def call() -> HTTPConnection:
            connection = HTTPConnection(server.host, server.port, timeout=20)
            connection.connect()
            return stack.enter_context(closing(connection))

        new, kept = call(), call()
        kept.request("GET", PAGE)
        assert kept.getresponse().read()
        server.signal(signal.SIGSTOP)
        queued = [call() for _ in range(GUESTS)]
        for connection in queued:
            connection.request("GET", PAGE)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGCONT)
        wait_until(lambda: "Shutting down: " in server.log, "the end has begun")
        new.request("GET", PAGE)
        kept.request("GET", PAGE)
        answers = [one.getresponse() for one in (*queued, new, kept)]
        assert {answer.status for answer in answers} == {200}
        assert all(answer.read() for answer in answers)
        # Those that asked earlier may have been answered before the end had begun.
        assert {answer.getheader("Connection") for answer in answers[-2:]} == {"close"}
        assert server.process
        assert server.process.wait(LIMIT) == STATUS[server_name]
    fleet.assert_quiet()


def test_nobody_holds_up_the_end(
    fleet: Fleet, server_name: str, large_file: str, note: Callable[[str], None]
) -> None:
    server = fleet.start(server_name)
    (ada,) = fleet.invite(server, "ada")
    with hushed(ada):
        _, seconds = terminate(server, signal.SIGINT)
    assert seconds < LIMIT

    server = fleet.start(server_name, server.port)
    with unread(server, large_file):
        status, with_answer = terminate(server)
    assert status == STATUS[server_name]
    assert with_answer < LIMIT - 2  # uvicorn alone would wait for 5 s more

    server = fleet.start(server_name, server.port)
    with hushed(ada), ThreadPoolExecutor() as pool:
        ending = pool.submit(terminate, server)
        wait_until(lambda: "Shutting down: " in server.log, "the end has begun")
        time.sleep(0.2)
        server.signal(signal.SIGTERM)  # it is passed on, and means the same
        time.sleep(1)
        assert not ending.done()
        start = time.monotonic()
        server.signal(signal.SIGTERM)
        status, _ = ending.result()
        at_once = time.monotonic() - start
    assert status == -signal.SIGTERM
    assert "Finished" not in server.log
    assert at_once < 1
    fleet.assert_quiet()
    note(
        f"{server_name} with a socket that does not answer is gone after "
        f"{seconds:.1f} s, with an answer that is not read after {with_answer:.1f} s, "
        f"and {at_once:.2f} s after a second signal"
    )


def test_a_rolling_restart_costs_nothing(
    fleet: Fleet, is_deep: bool, note: Callable[[str], None]
) -> None:
    rounds = DEEP_ROUNDS if is_deep else ROUNDS
    with (
        socket.create_server(("127.0.0.1", 0), backlog=128) as listener,
        ExitStack() as stack,
    ):
        running = {name: fleet.start(name, listener=listener) for name in SERVERS}
        names = [f"person-{number}" for number in range(TALKERS)]
        people = fleet.invite(fleet.servers[0], *names)
        pages = [stack.enter_context(Page(person, hurry=2)) for person in people]
        endings = []
        start = time.monotonic()
        with (
            knocking(Visitor(fleet.servers[0])) as answers,
            talking(pages, pause=0.1) as said,
        ):
            for name in rounds * SERVERS:
                shown = len(pages[0].shown)
                wait_until(lambda: len(pages[0].shown) > shown + 5, "people talk")  # noqa: B023
                endings.append(terminate(running[name]))
                running[name] = fleet.start(name, listener=listener)
        seconds = time.monotonic() - start
        assert_complete(pages, said, fleet.stored)
        wait_until(lambda: pages[0].people == names, "all are shown to be back")
        codes = [code for page in pages for code in page.codes]
    assert fleet.ask(PROCESSES) <= len(SERVERS)
    fleet.assert_quiet()
    assert set(codes) == {COME_BACK}
    assert set(answers) == {200}
    longest = max(seconds for _, seconds in endings)
    note(
        f"daphne and uvicorn behind one port, each restarted {rounds} times in "
        f"{seconds:.0f} s of traffic and gone after {longest:.1f} s at most: "
        f"{len(said)} messages of {TALKERS} people, {len(codes)} sockets closed with "
        f"{COME_BACK}, {len(answers)} new connections; nothing lost, doubled or refused"
    )


def test_control_c_in_development_is_instant_and_quiet(
    production: Project, sqlite: Variables, note: Callable[[str], None]
) -> None:
    production.manage("migrate", env=sqlite)
    port = free_port()
    command = [str(production.python), "manage.py", "runserver", f"127.0.0.1:{port}"]
    with serve(command, cwd=production.path, port=port, env=sqlite) as server:
        with Visitor(server).connect("/ws/ping/") as ping:
            ping.send("x")
            receive_until(ping, "x")
            said = server.log
            server.signal(signal.SIGINT)
            assert server.process
            start = time.monotonic()
            server.process.wait(10)
            seconds = time.monotonic() - start
        assert server.log.removeprefix(said).strip() == ""
    assert seconds < 4  # threads that are waited for in vain take five
    note(f"runserver is gone {seconds:.2f} s after Ctrl-C")
