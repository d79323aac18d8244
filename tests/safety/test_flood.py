"""Whoever floods is told to slow down and then cut off; others notice nothing."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from baking import Project
from chatting import Page, delays, talking
from fleet import SERVERS, Fleet, at, wait_until
from serving import receive_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

ROOM = "/ws/chat/lobby/?after=0"
ALLOWED = 10  # messages of one person in five seconds
SOCKETS = 20
CUT_OFF = 1008
LATER = 1013


@pytest.fixture(scope="module")
def fleet(
    production: Project, tmp_path_factory: pytest.TempPathFactory, redis_url: str
) -> Iterator[Fleet]:
    database = tmp_path_factory.mktemp("flood") / "db.sqlite3"
    env = {"DATABASE_URL": f"sqlite:///{database}", "REDIS_URL": redis_url}
    with ExitStack() as stack:
        fleet = Fleet(production, env, stack)
        for name in SERVERS:
            fleet.start(name)
        yield fleet
        fleet.assert_quiet()


def say(socket: ClientConnection, text: str) -> None:
    socket.send(json.dumps({"message": text}))


def test_a_person_with_many_sockets_is_slowed_down_and_nobody_else(
    fleet: Fleet, note: Callable[[str], None]
) -> None:
    eve, ada, bob = fleet.invite(fleet.servers[0], "eve", "ada", "bob")
    with ExitStack() as stack:
        pages = [
            stack.enter_context(Page(at(server, person)))
            for server, person in zip(fleet.servers, (ada, bob), strict=True)
        ]
        sockets = [
            stack.enter_context(at(server, eve).connect(ROOM))
            for server in fleet.servers * 2
        ]
        for socket in sockets:
            receive_until(socket, 'id="presence"')

        with talking(pages, pause=0.8):
            wait_until(lambda: len(delays(pages[0])) > 3, "the others talk")
            usual = max(delay for page in pages for _, delay in delays(page))
            # More through each socket than pass: one may be the first to be counted.
            sent = 4 * (ALLOWED + 1)
            for number in range(sent):
                say(sockets[number % 4], f"flood {number}")
            warned = [receive_until(socket, "Slow down") for socket in sockets]
            assert len(warned) == len(sockets)

            with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012
                for _ in range(30):
                    say(sockets[0], "flood 99")
                    sent += 1
                    receive_until(sockets[0], "Slow down")
            assert closed.value.rcvd
            assert closed.value.rcvd.code == CUT_OFF
            wait_until(lambda: len(delays(pages[0])) > 8, "the others talk still")
        slowest = max(delay for page in pages for _, delay in delays(page))

    stored = [one for one in fleet.stored() if one.text.startswith("flood")]
    assert len(stored) == ALLOWED
    assert slowest < usual + 1
    note(
        f"flood of {sent} messages through 4 sockets on 2 processes: {len(stored)} "
        f"stored, the rest refused, cut off with {CUT_OFF}; the others' messages took "
        f"{slowest * 1000:.0f} ms at most meanwhile"
    )


def test_frames_that_are_no_messages_are_counted_too(
    fleet: Fleet, server_name: str
) -> None:
    server = fleet.servers[SERVERS.index(server_name)]
    (eve,) = fleet.invite(server, "eve")
    with at(server, eve).connect(ROOM) as socket:
        with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012
            for _ in range(150):
                socket.send('{"typing": true}')
                time.sleep(0.005)  # not so fast that they pile up
            receive_until(socket, "never")
        assert closed.value.rcvd
        assert closed.value.rcvd.code == CUT_OFF


def test_of_too_many_sockets_the_newest_waits(fleet: Fleet, server_name: str) -> None:
    server = fleet.servers[SERVERS.index(server_name)]
    eve, ada = fleet.invite(server, "eve", "ada")
    with ExitStack() as stack:
        page = stack.enter_context(Page(at(server, ada)))
        *others, newest = [
            stack.enter_context(at(server, eve).connect(ROOM))
            for _ in range(SOCKETS + 1)
        ]
        with pytest.raises(ConnectionClosed) as closed:
            receive_until(newest, "never")
        assert closed.value.rcvd
        assert closed.value.rcvd.code == LATER
        page.say("hello")
        assert len([receive_until(socket, "hello") for socket in others]) == SOCKETS
        assert page.online
        others[0].close()
        with at(server, eve).connect(ROOM) as comes_back:
            page.say("welcome")
            receive_until(comes_back, "welcome")
