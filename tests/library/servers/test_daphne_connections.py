"""daphne asks those connections alone whether they are over that may be."""

import asyncio
from typing import Any

import pytest
from daphne import server as daphne_server
from daphne.server import Server

from channels_live.servers import daphne_connections


class Protocol:
    def __init__(self) -> None:
        self.failures: list[Exception] = []

    def handle_exception(self, failure: Exception) -> None:
        self.failures.append(failure)


class Details(dict[str, Any]):
    """What daphne keeps of a connection, and how often it looked there."""

    looks = 0

    def get(self, *args: Any) -> Any:
        self.looks += 1
        return super().get(*args)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if await receive() == "fail":
        raise ValueError("a bug")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(daphne_server.reactor, "callLater", lambda *args: None)
    server = Server(application, endpoints=["tcp:0"])
    server.connections = {}
    return server


def connect(server: Server) -> tuple[Protocol, asyncio.Queue[str]]:
    protocol = Protocol()
    server.connections[protocol] = Details()
    return protocol, server.create_application(protocol, {})


async def test_only_those_that_end_are_looked_at(server: Server) -> None:
    quiet, _ = connect(server)
    leaving, queue = connect(server)

    server.protocol_disconnected(leaving)
    server.application_checker()
    assert server.connections.keys() == {quiet, leaving}  # its consumer still runs
    queue.put_nowait("end")
    await asyncio.sleep(0.01)
    server.application_checker()

    assert server.connections.keys() == {quiet}
    assert server.connections[quiet].looks == 0
    server.connections[quiet]["application_instance"].cancel()


async def test_an_application_that_fails_is_heard_of_at_once(server: Server) -> None:
    failing, queue = connect(server)
    queue.put_nowait("fail")
    await asyncio.sleep(0.01)

    server.application_checker()
    assert [str(failure) for failure in failing.failures] == ["a bug"]
    assert failing in server.connections  # until its other side is gone

    server.protocol_disconnected(failing)
    server.application_checker()
    assert not server.connections
    assert not daphne_connections._ending


async def test_what_ends_after_it_was_removed_is_not_kept(server: Server) -> None:
    leaving, queue = connect(server)
    server.protocol_disconnected(leaving)
    queue.put_nowait("end")
    await asyncio.sleep(0.01)
    server.application_checker()
    daphne_connections._ending.add(leaving)

    server.application_checker()
    assert not daphne_connections._ending


class Broken(Protocol):
    def handle_exception(self, failure: Exception) -> None:
        raise RuntimeError("no transport")


async def test_one_that_cannot_be_told_is_heard_of_once_and_holds_up_nobody(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken()
    server.connections[broken] = Details()
    others = [connect(server) for _ in range(5)]
    queue = server.create_application(broken, {})
    for _, one in [(broken, queue), *others]:
        one.put_nowait("fail")
    await asyncio.sleep(0.01)

    for _ in range(3):
        server.application_checker()
    assert caplog.text.count("daphne could not see to a connection") == 1
    assert all(len(other.failures) == 1 for other, _ in others)

    server.protocol_disconnected(broken)
    server.application_checker()
    assert broken not in server.connections
