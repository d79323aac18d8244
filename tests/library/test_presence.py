"""Who is in a group, as the processes tell each other through the database."""

import asyncio
from collections import defaultdict
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from channels_live import count_present
from channels_live.delivery.socket import Socket
from channels_live.models import Presence, Process
from channels_live.observe.outage import layer_outage
from channels_live.presence import ALIVE, SHOWN, Tracker
from channels_live.process import get_process
from channels_live.testing import WAIT
from tests.library.helpers.consumers import roster

pytestmark = pytest.mark.django_db(transaction=True)


class Page:
    """A group as a tracker knows it, and what was shown to all in it."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def as_text(self, html: str) -> str:
        return html

    def broadcast(self, html: str) -> None:
        self.shown.append(html)


def socket_of(user: Any) -> Socket:
    server: Any = None
    return Socket({"path": "/", "user": user}, server, server)


class Server:
    """A process with sockets in groups."""

    def __init__(self) -> None:
        self.id = uuid4()
        self.pages: dict[str, Page] = {}
        self.sockets: defaultdict[tuple[str, Any], list[Socket]] = defaultdict(list)
        hub: Any = SimpleNamespace(groups=self.pages)
        self.tracker = Tracker(self.id, hub)

    def enter(self, user: Any, group: str = "here") -> None:
        self.pages.setdefault(group, Page())
        self.sockets[group, user.pk].append(socket_of(user))
        self.tracker.enter(group, self.sockets[group, user.pk][-1], roster)

    def leave(self, user: Any, group: str = "here") -> None:
        self.tracker.leave(group, self.sockets[group, user.pk].pop())

    def hears(self, group: str) -> None:
        """Be told by another process that somebody came or went."""
        self.tracker.changed(group)

    def tell(self) -> dict[str, str]:
        """Store and tell who came and went. Returns what pages are shown by that."""
        for page in self.pages.values():
            page.shown.clear()
        async_to_sync(self.tracker.tell)()
        assert all(len(page.shown) <= 1 for page in self.pages.values())
        return {name: page.shown[0] for name, page in self.pages.items() if page.shown}

    def beat(self) -> None:
        """Be alive."""
        async_to_sync(self.tracker.beat)()

    def end(self) -> None:
        async_to_sync(self.tracker.end)()

    def was_last_seen(self, seconds: float) -> None:
        seen = timezone.now() - timedelta(seconds=seconds)
        Process.objects.filter(pk=self.id).update(seen=seen)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The groups that all processes were told of."""
    told: list[str] = []

    async def send(group: str, message: Any, **options: Any) -> bool:
        if getattr(message, "group", "") == group:
            told.append(group)
        return True

    monkeypatch.setattr("channels_live.presence.send", send)
    return told


def test_people_of_all_processes_are_shown_by_name(
    told: list[str], ada: Any, bob: Any
) -> None:
    first, second = Server(), Server()
    first.enter(bob)
    second.enter(ada)

    first.tell()
    assert second.tell() == {"here": "2: ada bob"}
    assert told == ["here", "here"]
    first.hears("here")
    assert first.tell() == {"here": "2: ada bob"}


def test_people_who_take_the_places_of_others_are_shown() -> None:
    first, second, third, fourth = (
        get_user_model().objects.create_user(name) for name in "abcd"
    )
    here, there = Server(), Server()
    here.enter(AnonymousUser())
    for user in (first, fourth):
        there.enter(user)
    there.tell()
    assert here.tell() == {"here": "2: a d"}

    for user in (first, fourth):
        there.leave(user)
    for user in (second, third):
        there.enter(user)
    there.tell()
    here.hears("here")

    assert here.tell() == {"here": "2: b c"}


def test_what_others_were_not_told_they_are_told_later(
    server: Server, told: list[str], ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*args: Any) -> bool:
        return False

    server.enter(ada)
    with monkeypatch.context() as away:
        away.setattr("channels_live.presence.send", fail)
        server.tell()
    assert told == []

    server.tell()
    server.tell()
    assert told == ["here"]


def test_rosters_are_read_again_while_nobody_can_be_told(
    server: Server, ada: Any, bob: Any
) -> None:
    async def repair() -> None:
        process = get_process()
        process.presence = server.tracker
        await process.repair()

    other = Server()
    server.enter(ada)
    server.tell()
    other.enter(bob)
    other.tell()
    async_to_sync(repair)()
    assert server.tell() == {}

    layer_outage.begin(ConnectionError("refused"))
    async_to_sync(repair)()
    assert server.tell() == {"here": "2: ada bob"}


def test_processes_are_told_of_all_groups_at_once(
    server: Server, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_are_asked = asyncio.Barrier(2)

    async def send(*args: Any) -> None:
        async with asyncio.timeout(WAIT):
            await all_are_asked.wait()

    monkeypatch.setattr("channels_live.presence.send", send)
    server.enter(ada, "here")
    server.enter(ada, "there")

    assert server.tell().keys() == {"here", "there"}


def test_groups_are_apart(server: Server, ada: Any, bob: Any) -> None:
    server.enter(ada, "here")
    server.enter(bob, "there")

    assert server.tell() == {"here": "1: ada", "there": "1: bob"}
    assert count_present(["here", "there", "nowhere"]) == {"here": 1, "there": 1}


def test_a_roster_is_shown_only_where_it_changed(
    server: Server, ada: Any, bob: Any
) -> None:
    server.enter(ada)

    assert server.tell() == {"here": "1: ada"}
    server.hears("here")
    assert server.tell() == {}

    server.enter(bob)
    assert server.tell() == {"here": "2: ada bob"}


def test_others_are_shown_though_they_are_as_many(
    ada: Any, django_user_model: Any
) -> None:
    # Where keys are numbers, their sum is the same too.
    one, two, three, four = (
        django_user_model.objects.create(username=name) for name in ("1", "2", "3", "4")
    )
    here, elsewhere = Server(), Server()
    here.enter(ada)
    elsewhere.enter(one)
    elsewhere.enter(four)
    elsewhere.tell()
    assert here.tell() == {"here": "3: 1 4 ada"}

    elsewhere.leave(one)
    elsewhere.leave(four)
    elsewhere.enter(two)
    elsewhere.enter(three)
    elsewhere.tell()
    here.hears("here")
    assert here.tell() == {"here": "3: 2 3 ada"}


def test_a_newcomer_is_shown_what_others_have_seen(server: Server, ada: Any) -> None:
    server.enter(ada)
    server.tell()

    server.enter(ada)

    assert server.tell() == {"here": "1: ada"}


def test_someone_with_two_sockets_is_there_until_the_last_is_closed(
    told: list[str], ada: Any, bob: Any
) -> None:
    first, second = Server(), Server()
    first.enter(bob)
    for server in (first, first, second):
        server.enter(ada)
    assert first.tell() == {"here": "2: ada bob"}
    assert second.tell() == {"here": "2: ada bob"}
    assert count_present(["here"]) == {"here": 2}

    told.clear()
    first.leave(ada)
    assert first.tell() == {}
    assert told == []
    second.leave(ada)
    second.tell()
    first.hears("here")
    assert first.tell() == {}

    first.leave(ada)
    assert first.tell() == {"here": "1: bob"}


def test_a_short_visit_leaves_no_trace(server: Server, ada: Any) -> None:
    server.enter(ada)
    server.leave(ada)

    server.tell()

    assert not Presence.objects.exists()


def test_people_of_a_process_that_died_are_not_shown(ada: Any, bob: Any) -> None:
    alive, dead = Server(), Server()
    dead.enter(ada)
    alive.enter(bob)
    dead.tell()
    assert alive.tell() == {"here": "2: ada bob"}

    dead.was_last_seen(ALIVE + 1)

    alive.hears("here")
    assert alive.tell() == {"here": "1: bob"}
    assert count_present(["here"]) == {"here": 1}


def test_the_clocks_of_machines_may_differ(
    ada: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead, server = Server(), Server()
    server.enter(ada)
    server.tell()
    server.beat()

    later = timezone.now() + timedelta(seconds=3 * ALIVE + 5)
    with monkeypatch.context() as patch:
        patch.setattr("django.utils.timezone.now", lambda: later)
        ahead.enter(bob)
        assert ahead.tell() == {"here": "2: ada bob"}
        ahead.beat()

    server.hears("here")
    assert server.tell() == {"here": "2: ada bob"}


def test_a_process_that_was_only_busy_is_back_with_its_people(
    server: Server, told: list[str], ada: Any
) -> None:
    server.enter(ada)
    server.tell()
    server.was_last_seen(ALIVE + 1)
    server.hears("here")
    assert server.tell() == {"here": "0: "}

    told.clear()
    server.beat()

    assert server.tell() == {"here": "1: ada"}
    assert told == ["here"]


def test_a_process_that_was_forgotten_is_back_with_its_people(
    server: Server, told: list[str], ada: Any
) -> None:
    server.enter(ada)
    server.tell()
    Process.objects.all().delete()
    server.hears("here")
    assert server.tell() == {"here": "0: "}

    told.clear()
    server.beat()

    assert server.tell() == {"here": "1: ada"}
    assert told == ["here"]


def test_others_learn_which_groups_lost_a_process(
    server: Server, ada: Any, bob: Any
) -> None:
    dead = Server()
    server.enter(ada, "here")
    server.enter(ada, "there")
    dead.enter(bob, "there")
    dead.tell()
    server.tell()
    server.beat()
    assert server.tell() == {}

    dead.was_last_seen(ALIVE + 1)

    server.beat()
    assert server.tell() == {"there": "1: ada"}


def test_a_process_that_ends_is_gone_at_once(
    told: list[str], ada: Any, bob: Any
) -> None:
    other, ending = Server(), Server()
    ending.enter(ada, "here")
    ending.enter(ada, "there")
    other.enter(bob, "here")
    ending.tell()
    other.tell()

    told.clear()
    ending.end()
    assert sorted(told) == ["here", "there"]

    other.hears("here")
    assert other.tell() == {"here": "1: bob"}
    assert count_present(["there"]) == {}
    assert Process.objects.get().pk == other.id


def test_those_long_dead_are_forgotten(ada: Any, bob: Any) -> None:
    alive, dead = Server(), Server()
    alive.enter(bob)
    alive.tell()
    dead.enter(ada)
    dead.tell()
    dead.was_last_seen(3 * ALIVE + 1)

    alive.beat()

    assert Presence.objects.get().user == bob
    assert Process.objects.get().pk == alive.id


def test_who_was_deleted_meanwhile_is_not_shown(
    server: Server, ada: Any, bob: Any
) -> None:
    server.enter(ada)
    server.enter(bob)
    get_user_model().objects.filter(pk=ada.pk).delete()

    assert server.tell() == {"here": "1: bob"}


def test_what_could_not_be_stored_is_stored_next_time(server: Server, ada: Any) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise OperationalError("the database is away")

    server.enter(ada)
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(QuerySet, "bulk_create", fail)
        with pytest.raises(OperationalError):
            server.tell()

    assert server.tell() == {"here": "1: ada"}


def test_of_many_people_the_first_are_named(server: Server) -> None:
    model = get_user_model()
    for number in range(SHOWN + 3):
        server.enter(model.objects.create(username=f"user{number:03}"))

    shown = server.tell()["here"]

    assert shown.startswith(f"{SHOWN + 3}: user000 user001 ")
    assert shown.endswith(f" user{SHOWN - 1:03}")


def test_counting_costs_one_query(
    server: Server, ada: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    groups = [f"group{number}" for number in range(20)]
    for group in groups:
        server.enter(ada, group)
    server.tell()

    with django_assert_num_queries(1):
        assert count_present(groups) == dict.fromkeys(groups, 1)


def test_rows_say_what_they_are(server: Server, ada: Any) -> None:
    server.enter(ada)
    server.tell()

    assert str(Presence.objects.get()) == "ada in here"
    assert str(Process.objects.get()) == str(server.id)


def test_a_roster_that_fails_holds_up_no_other(
    server: Server, ada: Any, bob: Any
) -> None:
    def fail(people: list[Any], count: int) -> str:
        raise RuntimeError("not thought of")

    server.enter(ada, "here")
    server.tracker.enter("nowhere", socket_of(ada), fail)
    server.pages["nowhere"] = Page()
    server.enter(ada, "there")

    with pytest.raises(RuntimeError, match="not thought of"):
        server.tell()

    shown = {name: page.shown for name, page in server.pages.items()}
    assert shown == {"here": ["1: ada"], "nowhere": [], "there": ["1: ada"]}


def test_a_roster_that_could_not_be_read_is_shown_next_time(
    server: Server, ada: Any, bob: Any
) -> None:
    server.enter(ada)
    server.tell()
    other = Server()
    other.enter(bob)
    other.tell()

    def fail(*args: Any, **options: Any) -> None:
        raise OperationalError("the database is away")

    server.hears("here")
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(QuerySet, "in_bulk", fail)
        with pytest.raises(OperationalError):
            server.tell()

    assert server.tell() == {"here": "2: ada bob"}
