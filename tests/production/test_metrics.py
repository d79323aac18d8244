"""What Prometheus is told adds up to what happened, in each of two processes."""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from socket import create_server

import pytest
import requests
from baking import Project, Variables, run
from fleet import SERVERS, UNLIMITED, Fleet, at, wait_until
from prometheus_client.parser import text_string_to_metric_families
from serving import Server, Visitor, closing_code, free_port, receive_until
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection

MESSAGES = 20  # in each process
MISSED = 250  # more than a process keeps in memory
ATTIC = """
from uuid import uuid4
from apps.chat.models import Message, Room

room = Room.objects.create(name="Attic", slug="attic", last_number={count})
Message.objects.bulk_create(
    Message(room=room, number=number, client_id=uuid4(), text="old")
    for number in range(1, {count} + 1)
)
print("null")
"""
TOGETHER = 20  # fragments, of which the first goes at once and the others in one frame
# More than the buffers on the way hold, each in a frame of its own.
FLOOD = """
import asyncio
from apps.chat.models import Room
from channels_live import apublish

async def flood(lobby, attic):
    await apublish(lobby, *["<p></p>"] * {together})
    for _ in range(250):
        await apublish(attic, "x" * 65_536)
        await asyncio.sleep(0.002)

groups = [Room.objects.get(slug=slug).group for slug in ("lobby", "attic")]
asyncio.run(flood(*groups))
print("null")
"""


def get(url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=20)


class Numbers:
    """A scrape; a number that is not there is 0."""

    def __init__(self, text: str) -> None:
        self.values = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def read(self, name: str, **labels: str) -> float:
        return self.values.get((name, *sorted(labels.items())), 0)


class Process:
    """A server, and by how much its numbers have grown since they were last read."""

    def __init__(self, server: Server, address: str) -> None:
        self.server = server
        self.address = address
        self.before = self.after = self.scrape()

    def ask(self, path: str) -> requests.Response:
        return get(self.server.url + path)

    def scrape(self) -> Numbers:
        answer = get(f"http://{self.address}/metrics")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        return Numbers(answer.text)

    def look(self) -> None:
        self.before, self.after = self.after, self.scrape()

    def now(self, name: str, **labels: str) -> float:
        return self.scrape().read(name, **labels)

    def grown(self, name: str, **labels: str) -> float:
        return self.after.read(name, **labels) - self.before.read(name, **labels)


def talk(sockets: Sequence[ClientConnection], speaker: ClientConnection) -> None:
    """One says much at once, and everyone hears it."""
    for number in range(MESSAGES):
        text = f"number {number} of {id(speaker)}"
        speaker.send(json.dumps({"message": text}))
    for socket in sockets:
        receive_until(socket, text)


def test_tests_leave_the_address_to_a_server(production: Project) -> None:
    path = "apps/chat/tests/test_people_here.py"
    with create_server(("127.0.0.1", 0)) as other:
        env = {"METRICS_ADDRESS": f"127.0.0.1:{other.getsockname()[1]}"}
        run(production.python, "-m", "pytest", path, cwd=production.path, env=env)


def test_the_numbers_add_up(
    launch: Callable[[Variables], Fleet],
    sqlite: Variables,
    redis_url: str,
    note: Callable[[str], None],
) -> None:
    env = {**sqlite, **UNLIMITED, "REDIS_URL": redis_url}
    fleet = launch(env)
    processes = []
    for name in SERVERS:
        address = f"127.0.0.1:{free_port()}"
        fleet.env["METRICS_ADDRESS"] = address
        processes.append(Process(fleet.start(name), address))
    fleet.ask(ATTIC.format(count=MISSED))
    people = fleet.invite(processes[0].server, "ada", "bob", "eve")

    with ExitStack() as stack:

        def enter(visitor: Visitor, room: str = "lobby") -> ClientConnection:
            return stack.enter_context(visitor.connect(f"/ws/chat/{room}/?after=0"))

        rooms = [
            [enter(at(process.server, person)) for person in people[:count]]
            for process, count in zip(processes, (2, 3), strict=True)
        ]
        everyone = [socket for room in rooms for socket in room]
        for socket in everyone:
            receive_until(socket, ">eve<")
        assert_sockets_count(processes)
        for process in processes:
            wait_until(lambda: is_quiet(process), "all rosters are shown")  # noqa: B023
            process.look()

        for room in rooms:
            talk(everyone, room[0])
        assert_messages_count(processes, rooms)

        people[2].post("/accounts/logout/")
        assert closing_code(rooms[1].pop()) == 4401
        rooms[0].pop().close(1001)
        for room in rooms:
            room.pop().close()
        ada = at(processes[1].server, people[0])
        with ada.connect(f"/ws/chat/lobby/?after={2 * MESSAGES - 3}") as back:
            receive_until(back, f'data-number="{2 * MESSAGES}"')
        assert_ends_count(processes, rooms)

        slow = [enter(at(process.server, people[0]), "attic") for process in processes]
        for socket in slow:
            receive_until(socket, f'data-number="{MISSED}"')
        fleet.ask(FLOOD.format(together=TOGETHER))
        assert [closing_code(socket) for socket in slow] == [1013, 1013]
        assert_slow_readers_count(processes)

    assert_requests_count(processes)
    assert_docs_are_right(fleet, processes[0])
    for process in processes:
        answer = process.ask("/metrics")
        assert answer.status_code == 404
        assert "websocket_" not in answer.text
    fleet.assert_quiet()
    sizes = [len(process.after.values) for process in processes]
    note(f"a scrape of daphne and uvicorn has {sizes} numbers, all of them right")


def is_quiet(process: Process) -> bool:
    """Whether nothing was delivered since it was last looked."""
    process.look()
    return not process.grown("websocket_deliveries_total")


def assert_sockets_count(processes: Sequence[Process]) -> None:
    for process, count in zip(processes, (2, 3), strict=True):
        assert process.now("websocket_open_sockets") == count
        assert process.now("websocket_opened_total") == count
        assert process.now("websocket_present") == count
        assert process.now("websocket_groups") == 1


def assert_messages_count(
    processes: Sequence[Process], rooms: Sequence[Sequence[ClientConnection]]
) -> None:
    for process, sockets in zip(processes, rooms, strict=True):
        process.look()
        grown = process.grown
        assert grown("websocket_received_total") == MESSAGES
        assert grown("chat_batch_messages_sum") == MESSAGES
        assert grown("chat_post_seconds_count") == MESSAGES
        assert grown("websocket_published_total") == MESSAGES
        assert grown("websocket_fragments_total") == 2 * MESSAGES
        assert grown("websocket_deliveries_total") == 2 * MESSAGES * len(sockets)
        assert 0 < grown("websocket_frames_total") <= 2 * MESSAGES * len(sockets)
        timed = grown("websocket_delivery_seconds_count")
        assert timed + grown("websocket_repaired_fragments_total") == 2 * MESSAGES
        assert timed > MESSAGES
        assert 0 < grown("websocket_delivery_seconds_sum") < timed
        for service in ("database", "channel_layer"):
            assert process.now("websocket_outage", service=service) == 0


def assert_ends_count(
    processes: Sequence[Process], rooms: Sequence[Sequence[ClientConnection]]
) -> None:
    for process, sockets in zip(processes, rooms, strict=True):
        wait_until(
            lambda: process.now("websocket_open_sockets") == len(sockets),  # noqa: B023
            "they are gone",
        )
        process.look()
    first, second = processes
    closed = "websocket_closed_total"
    assert first.grown(closed, how="left", code="1001") == 1
    assert first.grown(closed, how="left", code="1000") == 1
    assert second.grown(closed, how="terminated", code="4401") == 1
    assert second.grown(closed, how="left", code="1000") == 2
    assert second.grown("websocket_catch_ups_total", source="memory") == 1
    assert second.grown("websocket_catch_ups_total", source="database") == 0


def assert_slow_readers_count(processes: Sequence[Process]) -> None:
    for process, together in zip(processes, (0, TOGETHER), strict=True):
        process.look()
        grown = process.grown
        assert grown("websocket_catch_ups_total", source="database") == 1
        assert grown("websocket_closed_total", how="terminated", code="1013") == 1
        saved = grown("websocket_deliveries_total") - grown("websocket_frames_total")
        assert saved >= max(0, together - 2)  # a roster may be in that frame too
        assert together or not saved


def assert_requests_count(processes: Sequence[Process]) -> None:
    for process in processes:
        for _ in range(3):
            assert process.ask("/").ok
        assert process.ask("/no/such/page/").status_code == 404
        with pytest.raises(InvalidStatus):
            Visitor(process.server).connect("/ws/ping/", origin="https://evil.example")
        process.look()
        count = "django_request_seconds_count"
        assert process.grown(count, view="home", status="200") == 3
        assert process.grown(count, view="none", status="404") == 1
        assert process.grown("websocket_refused_handshakes_total") == 1
        assert process.now("process_resident_memory_bytes") > 10_000_000
        assert process.now("process_open_fds") > 5


def assert_docs_are_right(fleet: Fleet, process: Process) -> None:
    """Each number in the table, the questions and the alerts is there to be read."""
    names = set()
    text = get(f"http://{process.address}/metrics").text
    for family in text_string_to_metric_families(text):
        names |= {family.name, f"{family.name}_total"}
        names |= {sample.name for sample in family.samples}
    text = (fleet.project.path / "docs" / "watching.md").read_text()
    named = set(re.findall(r"\b(?:websocket|django|chat|process)_\w+", text))
    assert named
    assert named - names == set()
