"""Which sockets have to leave, and which may stay."""

import time
from collections.abc import Collection
from typing import Any

import pytest

from channels_live import CloseCode, conf
from channels_live.delivery import socket
from channels_live.revocation import Registry

MAX_SOCKETS: int = conf.DEFAULTS["SOCKETS_PER_USER"]  # type: ignore[assignment]


class Socket(socket.Socket):
    """Remembers the codes it was terminated with."""

    def __init__(self, registry: Registry, *labels: str) -> None:
        unused: Any = None
        super().__init__({"path": "/"}, unused, unused)
        self.codes: list[int] = []
        for label in labels:
            registry.add(self, label)

    def terminate(self, code: int) -> None:
        self.codes.append(code)


@pytest.fixture
def registry() -> Registry:
    return Registry(recheck=lambda sockets: None)


def test_sockets_with_the_label_leave(registry: Registry) -> None:
    adas = [Socket(registry, "user:1", f"session:{key}") for key in "ab"]
    bobs = Socket(registry, "user:2", "session:c")

    registry.revoke(["user:1"], CloseCode.NOT_LOGGED_IN)

    assert [socket.codes for socket in adas] == [[4401], [4401]]
    assert bobs.codes == []


def test_a_socket_leaves_only_where_it_has_all_the_labels(registry: Registry) -> None:
    in_both = Socket(registry, "user:1", "group:attic")
    same_user = Socket(registry, "user:1", "group:lobby")
    same_group = Socket(registry, "user:2", "group:attic")

    registry.revoke(["group:attic", "user:1"], CloseCode.NOT_ALLOWED)

    assert in_both.codes == [4403]
    assert same_user.codes == []
    assert same_group.codes == []


def test_a_label_that_nobody_has_disturbs_nobody(registry: Registry) -> None:
    socket = Socket(registry, "user:1")

    registry.revoke(["user:3"], CloseCode.NOT_LOGGED_IN)

    assert socket.codes == []


def test_who_was_still_entering_leaves_too(registry: Registry) -> None:
    entering = Socket(registry, "user:1")

    registry.revoke(["group:attic", "user:1"], CloseCode.NOT_ALLOWED)
    assert entering.codes == []

    registry.add(entering, "group:attic")
    assert entering.codes == [4403]


def test_who_opens_a_socket_afterwards_may_stay(registry: Registry) -> None:
    registry.revoke(["user:1"], CloseCode.SERVICE_RESTART)
    before = time.monotonic()
    while time.monotonic() == before:
        pass

    back = Socket(registry, "user:1")

    assert back.codes == []


def test_revocations_are_forgotten(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    entering = Socket(registry)
    registry.revoke(["user:1"], CloseCode.NOT_LOGGED_IN)
    monkeypatch.setattr("channels_live.revocation.ENTERING", -1)
    registry.revoke(["user:2"], CloseCode.NOT_LOGGED_IN)

    registry.add(entering, "user:1")

    assert entering.codes == []


def test_who_left_is_not_asked_to_leave(registry: Registry) -> None:
    socket = Socket(registry, "user:1", "group:attic")

    registry.remove(socket)
    registry.revoke(["user:1"], CloseCode.NOT_LOGGED_IN)

    assert socket.codes == []
    assert registry.with_labels_of("user") == set()


def test_of_too_many_sockets_of_one_person_the_newest_waits(
    registry: Registry,
) -> None:
    sockets = [Socket(registry, "user:1") for _ in range(MAX_SOCKETS + 2)]
    others = [Socket(registry, "user:2", "group:attic") for _ in range(MAX_SOCKETS)]

    gone = [socket for socket in sockets if socket.codes]
    assert gone == sockets[-2:]
    assert [socket.codes for socket in gone] == [[CloseCode.TRY_AGAIN_LATER]] * 2
    assert not any(socket.codes for socket in others)

    for one in gone + sockets[:1]:
        registry.remove(one)
    assert Socket(registry, "user:1").codes == []


def test_many_people_may_be_in_one_group(registry: Registry) -> None:
    people = range(2 * MAX_SOCKETS)
    sockets = [Socket(registry, f"user:{one}", "group:attic") for one in people]

    assert not any(socket.codes for socket in sockets)


def test_the_sockets_of_all_who_are_logged_in_are_known(registry: Registry) -> None:
    first, second = Socket(registry, "user:1"), Socket(registry, "user:2")
    Socket(registry, "group:lobby")

    assert registry.with_labels_of("user") == {first, second}


def test_a_session_that_has_ended_lets_nobody_in_a_moment_later(
    registry: Registry,
) -> None:
    registry.revoke(["session:a"], CloseCode.NOT_LOGGED_IN)

    assert Socket(registry, "user:1", "session:a").codes == [4401]
    assert Socket(registry, "user:1", "session:b").codes == []


def test_logins_of_those_who_are_elsewhere_are_not_looked_at() -> None:
    looked_at: list[Collection[socket.Socket]] = []
    registry = Registry(recheck=looked_at.append)
    Socket(registry, "user:1")

    registry.revoke(["user:3"])

    assert looked_at == []


def test_a_login_that_ends_while_a_socket_enters_is_looked_at() -> None:
    doubtful: list[Any] = []
    registry = Registry(recheck=doubtful.extend)
    entering, inside = Socket(registry), Socket(registry, "user:1")

    registry.revoke(["user:1"])
    assert doubtful == [inside]

    registry.add(entering, "user:2")
    registry.add(entering, "user:1")
    assert doubtful == [inside, entering]
