"""Whoever stops reading slows nobody down, and fills no memory."""

import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from baking import Variables
from fleet import Fleet, forget_peak, peak, wait_until
from serving import Server, Visitor, receive_until
from websockets.exceptions import ConnectionClosed

# Stores messages of 2,000 characters, and publishes them as post_message() does.
FLOOD = """
import asyncio, time
from uuid import uuid4
from apps.chat.models import Message, Room
from apps.chat.rendering import render_message
from channels_live import Fragment, apublish
from apps.users.models import User

AT_ONCE = 35
room = Room.objects.get(slug="lobby")
author = User.objects.get(username="ada")


def store(start, stop):
    messages = [
        Message(
            room=room,
            author=author,
            number=number,
            client_id=uuid4(),
            text=f"sent at {{time.time()}} ".ljust(2000, "x"),
        )
        for number in range(start, stop)
    ]
    room.last_number = stop - 1
    Message.objects.bulk_create(messages)
    room.save(update_fields=["last_number"])
    return messages


async def flood(start, stop):
    for first in range(start, stop, AT_ONCE):
        due = time.monotonic() + 0.05
        messages = await asyncio.to_thread(store, first, min(first + AT_ONCE, stop))
        for one in messages:
            await apublish(room.group, Fragment(render_message(one), one.number))
        await asyncio.sleep(max(0, due - time.monotonic()))


asyncio.run(flood(room.last_number + 1, room.last_number + 1 + {count}))
print("null")
"""
ROOM = "/ws/chat/lobby/?after="
BEFORE, AFTER = 2000, 10_000  # messages
GROWTH = 12  # megabytes that a server may grow by
CLOSED = "closed with 1013"
CUT = "A client reads nothing, not even its close frame: cut off."
STAMP = re.compile(r'data-number="(\d+)".*?sent at ([\d.]+)', re.S)


@contextmanager
def reading(visitor: Visitor) -> Iterator[dict[int, float]]:
    """Someone who reads as fast as it comes: number → how late it was, in seconds."""
    late: dict[int, float] = {}

    def read() -> None:
        try:
            while True:
                frame = str(socket.recv())
                now = time.time()
                for number, sent in STAMP.findall(frame):
                    late[int(number)] = now - float(sent)
        except ConnectionClosed:
            pass

    with visitor.connect(f"{ROOM}0") as socket:
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        yield late
    reader.join(30)


def percentiles(late: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds."""
    cuts = statistics.quantiles(late, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def has_connection(server: Server, port: int) -> bool:
    """Whether the system has a connection to a client's port, its process's or not."""
    lines = Path(f"/proc/{server.pid}/net/tcp").read_text().splitlines()
    ends = [tuple(re.findall(r":(\w{4}) ", line)[:2]) for line in lines]
    return (f"{server.port:04X}", f"{port:04X}") in ends


def test_who_stops_reading_is_let_go_and_catches_up(
    launch: Callable[[Variables], Fleet],
    sqlite: Variables,
    redis_url: str,
    server_name: str,
    note: Callable[[str], None],
) -> None:
    fleet = launch({**sqlite, "REDIS_URL": redis_url})
    server = fleet.start(server_name)
    ada, bob, cy = fleet.invite(server, "ada", "bob", "cy")
    with reading(ada) as late:
        fleet.ask(FLOOD.format(count=BEFORE))
        before = percentiles([late[number] for number in sorted(late)])

        with (
            bob.connect(f"{ROOM}{BEFORE}") as stalled,
            cy.connect(f"{ROOM}{BEFORE}") as silent,
        ):
            port = silent.local_address[1]
            receive_until(stalled, 'id="presence"')
            assert has_connection(server, port)
            memory = forget_peak(server)
            with ThreadPoolExecutor() as pool:
                flood = pool.submit(fleet.ask, FLOOD.format(count=AFTER))
                wait_until(
                    lambda: server.log.count(CLOSED) == 2, "both are let go", 120
                )
                began = time.monotonic()
                seen = BEFORE
                with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012
                    while True:
                        frame = str(stalled.recv(timeout=10))
                        seen = max([seen, *(int(n) for n, _ in STAMP.findall(frame))])
            growth = (peak(server) - memory) / 1024
            assert flood.result() is None
            wait_until(lambda: not has_connection(server, port), "the other is cut", 60)
            cut = time.monotonic() - began
            assert (CUT in server.log) == (server_name == "uvicorn")
        after = percentiles([late[number] for number in sorted(late)[BEFORE:]])
        assert sorted(late) == list(range(1, BEFORE + AFTER + 1))

    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1013
    assert BEFORE < seen < BEFORE + AFTER
    with bob.connect(f"{ROOM}{seen}") as back:
        heard = receive_until(back, "messages came while you were away")
        heard += receive_until(back, f'data-number="{BEFORE + AFTER}"')
    fleet.assert_quiet()
    note(
        f"{server_name}, {AFTER:,} messages of 2 KB past one who has stopped reading: "
        f"the others' latency is {after[0]:.0f} ms, 99 % below {after[1]:.0f} ms "
        f"(before: {before[0]:.0f} and {before[1]:.0f} ms), memory grew by "
        f"{growth:.1f} MB; he was let go with 1013 and caught up; one who read nothing "
        f"more was cut {cut:.0f} s later"
    )
    assert growth < GROWTH
    assert after[0] < 2 * before[0] + 20
