"""The benchmark counts rightly, and does not overlook what goes missing."""

import json
import re
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from baking import TEMPLATE, Kitchen, run
from fleet import wait_until

from benchmarks import load, measure
from benchmarks.load import Crowd
from benchmarks.member import Address, Dialect
from benchmarks.services import Command, serving

SHORT = measure.Lengths(warm=0, saturated=0.2, steady=0.5)
DIALECT = Dialect(lambda text, number: text)
ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
PING = b"\x89\x04ping"
# A room that is not always honest: `TIMES` says how often a member gets a message.
ROOM = """
import asyncio, itertools, sys
from websockets.asyncio.server import serve

members = []
numbers = itertools.count()

async def chat(connection):
    members.append(connection)
    async for message in connection:
        number = next(numbers)
        for position, member in enumerate(members):
            for _ in range(TIMES):
                await member.send(message)

async def main():
    async with serve(chat, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()

asyncio.run(main())
"""


def test_the_quick_form_counts_every_message(kitchen: Kitchen, tmp_path: Path) -> None:
    project = kitchen.bake({"asgi_server": "uvicorn"})
    run(
        *(sys.executable, "-m", "benchmarks.run", "--quick", "--folder", tmp_path),
        *("--only", "demo-uvicorn,limit", "--parts", "100"),
        *("--project", project.path, "--venv", project.venv),
        cwd=TEMPLATE,
    )
    results = json.loads((tmp_path / "results.json").read_text())
    for side in ("demo-uvicorn", "limit"):
        ((numbers,),) = results["rounds"][side].values()
        assert numbers["deliveries"] == 100 * numbers["messages"] > 0
        assert numbers["server_busy"] > 0
    table = (tmp_path / "table.md").read_text()
    assert "| this demo, uvicorn | bare websockets.broadcast() |" in table
    assert (tmp_path / "chart.svg").read_text().count("<rect") == 2


def test_lone_messages_are_measured_in_turns(kitchen: Kitchen, tmp_path: Path) -> None:
    project = kitchen.bake({"asgi_server": "uvicorn"})
    done = run(
        *(sys.executable, "-m", "benchmarks.turns", "--folder", tmp_path),
        *("--only", "demo-uvicorn,limit", "--turns", "2", "--seconds", "1"),
        *("--project", project.path, "--venv", project.venv),
        cwd=TEMPLATE,
    )
    ratios = re.findall(r"^\S+ +[\d.]+ ms, ([\d.]+) × limit$", done.stdout, re.M)
    assert float(ratios[0]) > float(ratios[1]) == 1


@pytest.mark.deep
def test_pages_with_live_regions_are_measured(kitchen: Kitchen, tmp_path: Path) -> None:
    project = kitchen.bake({"asgi_server": "uvicorn"})
    run(
        *(sys.executable, "-m", "benchmarks.run", "--quick", "--folder", tmp_path),
        *("--only", "engine-uvicorn", "--parts", "regions"),
        *("--project", project.path, "--venv", project.venv),
        cwd=TEMPLATE,
    )
    results = json.loads((tmp_path / "results.json").read_text())
    ((numbers,),) = results["rounds"]["engine-uvicorn"].values()
    assert all(value > 0 for value in numbers.values())
    assert "| … with `get_contexts` |" in (tmp_path / "table.md").read_text()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_messages_count_however_the_network_cuts_them(size: int) -> None:
    payloads = [b'{"message": "zqx%07d hello"}' % number for number in range(30)]
    frames = [bytes([0x81, len(payload)]) + payload for payload in payloads]
    with (
        trickling(ACCEPTED + b"".join(frames), size) as port,
        closing(Crowd(DIALECT, Counter())) as crowd,
    ):
        crowd.open([(0, Address(port, "/"))])
        assert crowd.wait_for(lambda: crowd.deliveries() == 30, 10)
        crowd.rest(0.1)
        assert crowd.deliveries() == 30


def test_a_ping_is_answered() -> None:
    with listening() as (port, accepted), closing(Crowd(DIALECT, Counter())) as crowd:
        crowd.open([(0, Address(port, "/"))])
        wait_until(lambda: accepted, "the listener has taken the connection")
        (peer,) = accepted
        peer.settimeout(5)
        peer.sendall(b"\x81\x05hello" + PING)
        crowd.rest(0.2)
        assert peer.recv(100).endswith(b"\x8a\x84\0\0\0\0ping")


@contextmanager
def room(folder: Path, times: str, members: int) -> Iterator[tuple[Crowd, int]]:
    """Members in a room, and the id of its server's process."""
    (folder / "room.py").write_text(ROOM.replace("TIMES", times))
    command = Command([sys.executable, "room.py", "{port}"], folder, {})
    with (
        serving(command, folder / "room.log") as server,
        closing(Crowd(DIALECT, Counter())) as crowd,
    ):
        crowd.open((0, Address(server.port, "/")) for _ in range(members))
        measure.settle(crowd)
        yield crowd, server.pid


@pytest.mark.parametrize(
    ("times", "is_complete"),
    [
        ("1", True),
        ("0 if (number, position) == (5, 3) else 1", False),
        ("2 if (number, position) == (5, 3) else 1", False),
    ],
    ids=["honest", "lossy", "doubling"],
)
def test_what_is_lost_or_doubled_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: str, is_complete: bool
) -> None:
    monkeypatch.setattr(measure, "PATIENCE", 1)
    with room(tmp_path, times, members=10) as (crowd, process):
        if is_complete:
            assert measure.steady(crowd, process, 20, SHORT)["steady_p99_ms"] > 0
        else:
            with pytest.raises(measure.IncompleteError):
                measure.steady(crowd, process, 20, SHORT)


def test_no_more_is_sent_than_nchan_can_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "MOST", 100)
    with room(tmp_path, "1", members=2) as (crowd, process):
        numbers = measure.saturate(crowd, process, measure.Lengths(0, 1.5, 0))
    assert 100 < numbers["messages"] <= 200


@contextmanager
def listening() -> Iterator[tuple[int, list[socket.socket]]]:
    """A port, and the sockets that were accepted there, handshake and all."""
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            peer, _ = server.accept()
            peer.recv(4096)
            peer.sendall(ACCEPTED)
            accepted.append(peer)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1], accepted
        thread.join(10)
        for peer in accepted:
            peer.close()


@contextmanager
def trickling(data: bytes, size: int) -> Iterator[int]:
    """A port at which whoever comes is sent the data, so many bytes at a time."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def send() -> None:
            peer, _ = server.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.recv(4096)
            for start in range(0, len(data), size):
                peer.sendall(data[start : start + size])
                time.sleep(0.0005)
            peer.recv(4096)
            peer.close()

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)
