"""Which sockets have to leave, and which may stay."""

import time
from typing import Any

import pytest

from apps.realtime.codes import POLICY_VIOLATION
from apps.realtime.registry import MAX_SOCKETS, Registry


class Socket:
    """Remembers the codes it was let go with."""

    def __init__(self, registry: Registry, *labels: str) -> None:
        self.scope = None
        self.opened = time.monotonic()
        self.labels: set[str] = set()
        self.codes: list[int] = []
        for label in labels:
            registry.add(self, label)

    def let_go(self, code: int) -> None:
        self.codes.append(code)

    @classmethod
    def find_unwelcome(cls, sockets: Any) -> dict[Any, int]:
        return {}


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_sockets_with_the_label_leave(registry: Registry) -> None:
    adas = [Socket(registry, "user:1", f"session:{key}") for key in "ab"]
    bobs = Socket(registry, "user:2", "session:c")

    registry.disconnect(["user:1"], 4401)

    assert [socket.codes for socket in adas] == [[4401], [4401]]
    assert bobs.codes == []


def test_a_socket_leaves_only_where_it_has_all_the_labels(registry: Registry) -> None:
    in_both = Socket(registry, "user:1", "group:attic")
    same_user = Socket(registry, "user:1", "group:lobby")
    same_group = Socket(registry, "user:2", "group:attic")

    registry.disconnect(["group:attic", "user:1"], 4403)

    assert in_both.codes == [4403]
    assert same_user.codes == []
    assert same_group.codes == []


def test_a_label_that_nobody_has_disturbs_nobody(registry: Registry) -> None:
    socket = Socket(registry, "user:1")

    registry.disconnect(["user:3"], 4401)

    assert socket.codes == []


def test_who_was_still_entering_leaves_too(registry: Registry) -> None:
    entering = Socket(registry, "user:1")

    registry.disconnect(["group:attic", "user:1"], 4403)
    assert entering.codes == []

    registry.add(entering, "group:attic")
    assert entering.codes == [4403]


def test_who_opens_a_socket_afterwards_may_stay(registry: Registry) -> None:
    registry.disconnect(["user:1"], 1012)
    before = time.monotonic()
    while time.monotonic() == before:
        pass

    back = Socket(registry, "user:1")

    assert back.codes == []


def test_farewells_are_forgotten(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    entering = Socket(registry)
    registry.disconnect(["user:1"], 4401)
    monkeypatch.setattr("apps.realtime.registry.ENTERING", -1)
    registry.disconnect(["user:2"], 4401)

    registry.add(entering, "user:1")

    assert entering.codes == []


def test_who_left_is_not_asked_to_leave(registry: Registry) -> None:
    socket = Socket(registry, "user:1", "group:attic")

    registry.remove(socket)
    registry.disconnect(["user:1"], 4401)

    assert socket.codes == []
    assert registry.of_user(1) == []


def test_of_too_many_sockets_of_one_person_the_oldest_goes(registry: Registry) -> None:
    sockets = [Socket(registry, "user:1") for _ in range(MAX_SOCKETS + 2)]
    others = [Socket(registry, "user:2", "group:attic") for _ in range(MAX_SOCKETS)]

    gone = [socket for socket in sockets if socket.codes]
    assert gone == sockets[:2]
    assert [socket.codes for socket in gone] == [[POLICY_VIOLATION]] * 2
    assert registry.of_user(1) == sockets[2:]
    assert not any(socket.codes for socket in others)


def test_many_people_may_be_in_one_group(registry: Registry) -> None:
    people = range(2 * MAX_SOCKETS)
    sockets = [Socket(registry, f"user:{one}", "group:attic") for one in people]

    assert not any(socket.codes for socket in sockets)


def test_the_sockets_of_all_who_are_logged_in_are_known(registry: Registry) -> None:
    first, second = Socket(registry, "user:1"), Socket(registry, "user:2")
    Socket(registry, "group:lobby")

    assert registry.of_users() == [first, second]
    assert registry.of_user(2) == [second]


def test_a_session_that_has_ended_lets_nobody_in_a_moment_later(
    registry: Registry,
) -> None:
    registry.disconnect(["session:a"], 4401)

    assert Socket(registry, "user:1", "session:a").codes == [4401]
    assert Socket(registry, "user:1", "session:b").codes == []
