"""Who is in a group, as the processes tell each other through the database."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.realtime.models import Presence, Process
from apps.realtime.presence import ALIVE, SHOWN, PresenceTracker, count_people

pytestmark = pytest.mark.django_db(transaction=True)


def roster(people: list[Any], count: int) -> str:
    return f"{count}: {' '.join(str(person) for person in people)}"


class Server:
    """A process with sockets in groups."""

    def __init__(self) -> None:
        self.tracker = PresenceTracker()

    def enter(self, user: Any, group: str = "here") -> None:
        self.tracker.enter(group, user.pk, roster)

    def leave(self, user: Any, group: str = "here") -> None:
        self.tracker.leave(group, user.pk)

    def write(self) -> set[str]:
        return async_to_sync(self.tracker.write)()

    def read(self, *groups: str) -> dict[str, str]:
        return async_to_sync(self.tracker.read)(groups or ["here"])

    def beat(self) -> set[str]:
        return async_to_sync(self.tracker.beat)()

    def was_last_seen(self, seconds: float) -> None:
        seen = timezone.now() - timedelta(seconds=seconds)
        Process.objects.filter(pk=self.tracker.process_id).update(seen=seen)


@pytest.fixture
def server() -> Server:
    return Server()


def test_people_of_all_processes_are_shown_by_name(ada: Any, bob: Any) -> None:
    first, second = Server(), Server()
    first.enter(bob)
    second.enter(ada)

    assert first.write() == second.write() == {"here"}

    assert first.read() == second.read() == {"here": "2: ada bob"}


def test_groups_are_apart(server: Server, ada: Any, bob: Any) -> None:
    server.enter(ada, "here")
    server.enter(bob, "there")
    server.write()

    assert server.read("here", "there") == {"here": "1: ada", "there": "1: bob"}
    assert count_people(["here", "there", "nowhere"]) == {"here": 1, "there": 1}


def test_a_roster_is_told_only_where_it_changed(
    server: Server, ada: Any, bob: Any
) -> None:
    server.enter(ada)
    server.write()

    assert server.read() == {"here": "1: ada"}
    assert server.read() == {}

    server.enter(bob)
    server.write()
    assert server.read() == {"here": "2: ada bob"}


def test_a_newcomer_is_shown_what_others_have_seen(server: Server, ada: Any) -> None:
    server.enter(ada)
    server.write()
    server.read()

    server.enter(ada)
    server.write()

    assert server.read() == {"here": "1: ada"}


def test_someone_with_two_sockets_is_there_until_the_last_is_closed(
    ada: Any, bob: Any
) -> None:
    first, second = Server(), Server()
    first.enter(bob)
    for server in (first, first, second):
        server.enter(ada)
    first.write()
    second.write()
    assert first.read() == {"here": "2: ada bob"}
    assert count_people(["here"]) == {"here": 2}

    first.leave(ada)
    assert first.write() == set()
    second.leave(ada)
    second.write()
    assert first.read() == {}

    first.leave(ada)
    first.write()
    assert first.read() == {"here": "1: bob"}


def test_a_short_visit_leaves_no_trace(server: Server, ada: Any) -> None:
    server.enter(ada)
    server.leave(ada)

    server.write()

    assert not Presence.objects.exists()


def test_people_of_a_process_that_died_are_not_shown(ada: Any, bob: Any) -> None:
    alive, dead = Server(), Server()
    alive.enter(bob)
    dead.enter(ada)
    alive.write()
    dead.write()

    dead.was_last_seen(ALIVE + 1)

    assert alive.read() == {"here": "1: bob"}
    assert count_people(["here"]) == {"here": 1}


def test_a_process_that_was_only_busy_is_back_with_its_people(
    server: Server, ada: Any
) -> None:
    server.enter(ada)
    server.write()
    server.was_last_seen(ALIVE + 1)
    assert server.read() == {"here": "0: "}

    assert server.beat() == set()

    assert server.write() == {"here"}  # and so it is told to all
    assert server.read() == {"here": "1: ada"}


def test_a_process_that_was_forgotten_is_back_with_its_people(
    server: Server, ada: Any
) -> None:
    server.enter(ada)
    server.write()
    Process.objects.all().delete()

    server.beat()

    assert server.write() == {"here"}
    assert server.read() == {"here": "1: ada"}


def test_others_learn_which_groups_lost_a_process(
    server: Server, ada: Any, bob: Any
) -> None:
    dead = Server()
    server.enter(ada, "here")
    dead.enter(bob, "there")
    server.write()
    dead.write()
    assert server.beat() == set()

    dead.was_last_seen(ALIVE + 1)

    assert server.beat() == {"there"}


def test_a_process_that_ends_is_gone_at_once(ada: Any, bob: Any) -> None:
    other, ending = Server(), Server()
    other.enter(bob, "here")
    ending.enter(ada, "here")
    ending.enter(ada, "there")
    other.write()
    ending.write()

    assert async_to_sync(ending.tracker.end)() == {"here", "there"}

    assert other.read() == {"here": "1: bob"}
    assert count_people(["there"]) == {}
    assert Process.objects.get().pk == other.tracker.process_id


def test_those_long_dead_are_forgotten(ada: Any) -> None:
    alive, dead = Server(), Server()
    dead.enter(ada)
    dead.write()
    dead.was_last_seen(3 * ALIVE + 1)

    alive.beat()

    assert not Presence.objects.exists()
    assert Process.objects.get().pk == alive.tracker.process_id


def test_who_was_deleted_meanwhile_is_not_shown(
    server: Server, ada: Any, bob: Any
) -> None:
    server.enter(ada)
    server.enter(bob)
    get_user_model().objects.filter(pk=ada.pk).delete()

    server.write()

    assert server.read() == {"here": "1: bob"}


def test_what_could_not_be_stored_is_stored_next_time(ada: Any) -> None:
    server = Server()
    server.tracker = tracker = FailingTracker()
    server.enter(ada)
    with pytest.raises(OperationalError):
        server.write()

    tracker.fails = False
    server.write()

    assert server.read() == {"here": "1: ada"}


class FailingTracker(PresenceTracker):
    fails = True

    def _store(self, here: set[tuple[str, int]], gone: set[tuple[str, int]]) -> None:
        if self.fails:
            raise OperationalError("the database is away")
        super()._store(here, gone)


def test_of_many_people_the_first_are_named(server: Server) -> None:
    model = get_user_model()
    for number in range(SHOWN + 3):
        server.enter(model.objects.create(username=f"user{number:03}"))
    server.write()

    shown = server.read()["here"]

    assert shown.startswith(f"{SHOWN + 3}: user000 user001 ")
    assert shown.endswith(f" user{SHOWN - 1:03}")


def test_counting_costs_one_query(
    server: Server, ada: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    groups = [f"group{number}" for number in range(20)]
    for group in groups:
        server.enter(ada, group)
    server.write()

    with django_assert_num_queries(1):
        assert count_people(groups) == dict.fromkeys(groups, 1)


def test_rows_say_what_they_are(server: Server, ada: Any) -> None:
    server.enter(ada)
    server.write()

    assert str(Presence.objects.get()) == "ada in here"
    assert str(Process.objects.get()) == str(server.tracker.process_id)
