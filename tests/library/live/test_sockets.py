"""What comes through the socket of a page."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils.translation import gettext, override
from pytest_django import Settings

from channels_live import CloseCode, Live, publish
from channels_live.delivery.outbox import Outbox
from channels_live.live.names import owner, subject
from channels_live.live.names import sign as sign_name
from channels_live.live.pages import show
from channels_live.live.place import Place
from channels_live.live.region import regions as registry
from channels_live.observe.outage import layer_outage
from channels_live.process import get_process
from channels_live.testing import WAIT, has_entered, open_live, open_socket
from tests.library.helpers.browsing import closing_code
from tests.library.live import regions
from tests.library.live.regions import (
    Card,
    Crowd,
    Own,
    Team,
    Text,
    User,
    Where,
    free_key,
    gate,
    reads,
)

pytestmark = pytest.mark.django_db(transaction=True)

SOCKET = "/ws/live/"


def sign(user: Any, region: type[Live], key: Any, language: str = "en") -> str:
    return Place(region, key, language, "/").sign(owner(user or AnonymousUser(), None))


async def watch(socket: WebsocketCommunicator, *pairs: tuple[str, str]) -> None:
    await socket.send_json_to({"watch": [list(pair) for pair in pairs]})


async def next_events(socket: WebsocketCommunicator) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = await socket.receive_json_from(WAIT)
    return events


async def save(user: Any, **values: Any) -> None:
    """Change a user, as a view does."""

    def work() -> None:
        with transaction.atomic():
            for name, value in values.items():
                setattr(user, name, value)
            user.save()

    await sync_to_async(work)()


async def is_quiet(socket: WebsocketCommunicator, seconds: float = 0.3) -> bool:
    return bool(await socket.receive_nothing(seconds))


async def test_shows_what_changes(ada: Any) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        assert page.html == "<b>Ada</b>"

        await save(ada, first_name="Ida")
        await page.shows("Ida")


async def test_a_region_without_a_key_changes_with_any_row(ada: Any) -> None:
    async with open_live(None, Crowd, "") as page:
        await page.shows("1 users")
        await save(User(username="new"))
        await page.shows("2 users")


async def test_sends_only_what_the_page_does_not_show(ada: Any) -> None:
    state = (await sync_to_async(show)(Card, [ada.pk], ada))[ada.pk]
    assert state
    async with open_socket(SOCKET, ada) as socket:
        await watch(socket, (sign(ada, Card, ada.pk), state.digest))

        (event,) = await next_events(socket)
        assert set(event) == {"topic"}
        await save(ada, last_name="L.")
        assert await is_quiet(socket)


async def test_shows_what_changed_before_the_socket_came(ada: Any) -> None:
    state = (await sync_to_async(show)(Card, [ada.pk], ada))[ada.pk]
    assert state
    await save(ada, first_name="Ida")
    async with open_socket(SOCKET, ada) as socket:
        await watch(socket, (sign(ada, Card, ada.pk), state.digest))

        (event,) = await next_events(socket)
        assert event["html"] == "<b>Ida</b>"


async def test_a_row_that_is_no_more_empties_the_region(ada: Any, bob: Any) -> None:
    async with open_live(bob, Card, ada.pk) as page:
        await ada.adelete()
        await page.receive()
        assert page.html == ""


async def test_elements_that_show_different_states_are_emptied_too(ada: Any) -> None:
    nobody = sign(ada, Card, free_key())
    async with open_socket(SOCKET, ada) as socket:
        await watch(socket, (nobody, "older"), (nobody, "newer"))
        (event,) = await next_events(socket)

        assert event["html"] == ""


async def test_what_is_read_for_one_page_is_shown_to_all(ada: Any, bob: Any) -> None:
    async with open_live(ada, Card, ada.pk) as adas:
        await User.objects.filter(pk=ada.pk).aupdate(first_name="Ida")
        async with open_live(bob, Card, ada.pk) as bobs:
            assert bobs.html == "<b>Ida</b>"
            await adas.shows("Ida")


async def test_an_element_that_shows_an_older_state_gets_the_present_one(
    ada: Any,
) -> None:
    place = sign(ada, Text, 1)
    state = show(Text, [1], ada)[1]
    for pairs in ([(place, "older"), (place, state.digest)], [(place, state.digest)]):
        async with open_socket(SOCKET, ada) as socket:
            await watch(socket, *pairs)
            (event,) = await next_events(socket)
            assert ("html" in event) is (len(pairs) == 2)

            await watch(socket, (place, "older"))
            (event,) = await next_events(socket)
            assert "html" in event


async def test_a_page_has_so_many_regions_and_no_more(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.live_consumer.MAX_REGIONS", 2)
    async with open_socket(SOCKET, ada) as socket:
        await watch(socket, *((sign(ada, Text, key), "") for key in range(3)))
        assert await next_events(socket) == [
            {"error": "This page has too many live regions."}
        ]


async def test_names_of_others_are_refused(ada: Any, bob: Any) -> None:
    async with open_socket(SOCKET, bob) as socket:
        for name in (sign(ada, Text, 1), sign(None, Text, 1), "forged:name"):
            await watch(socket, (name, ""))
            assert await next_events(socket) == [{"gone": name}]


async def test_what_may_not_be_seen_is_gone(ada: Any, bob: Any) -> None:
    async with open_socket(SOCKET, bob) as socket:
        await watch(socket, (sign(bob, Own, ada.pk), ""))

        (event,) = await next_events(socket)
        assert set(event) == {"gone"}


async def test_a_page_of_another_release_is_to_load_itself_anew(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = sign(ada, Text, 1)
    monkeypatch.delitem(registry, "tests.Text")
    async with open_socket(SOCKET, ada) as socket:
        await watch(socket, (name, ""))
        assert await next_events(socket) == [{"reload": True}]


async def test_the_right_is_asked_for_before_a_change_goes_out(
    ada: Any, bob: Any
) -> None:
    async with (
        open_live(ada, Card, ada.pk) as adas,
        open_live(bob, Card, ada.pk) as bobs,
    ):
        regions.banned.add(bob.pk)
        await save(ada, first_name="Ida")

        assert set(await bobs.receive()) == {"gone"}
        await adas.shows("Ida")
        await save(ada, first_name="Eda")
        await adas.shows("Eda")
        assert await is_quiet(bobs.socket)


async def test_the_right_is_asked_for_now_and_then(ada: Any, bob: Any) -> None:
    async with (
        open_live(ada, Card, ada.pk) as adas,
        open_live(bob, Card, ada.pk) as bobs,
    ):
        before = len(reads)
        regions.banned.add(bob.pk)
        await get_process().check_sockets()

        assert set(await bobs.receive()) == {"gone"}
        assert await is_quiet(adas.socket)
        assert len(reads) == before


async def test_the_right_is_asked_for_when_a_user_changes(ada: Any, bob: Any) -> None:
    async with open_live(bob, Card, ada.pk) as bobs:
        regions.banned.add(bob.pk)
        await save(bob, last_name="B.")

        assert set(await bobs.receive()) == {"gone"}


async def test_permissions_are_looked_up_anew(
    ada: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def allows(self: Card, user: Any, key: Any) -> bool:
        user.has_perm("users.view_user")
        seen.append(user)
        return True

    monkeypatch.setattr(Card, "allows", allows)
    async with open_live(bob, Card, ada.pk) as page:
        for socket in get_process().sockets:
            socket.scope["user"]._perm_cache = {"what was once allowed"}
        await save(ada, first_name="Ida")
        await page.shows("Ida")

    assert len(seen) >= 2
    assert not any("what was once allowed" in user._perm_cache for user in seen)


async def test_an_error_leaves_the_last_good_state(
    ada: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        regions.failing.add(ada.pk)
        for name in ("Ida", "Eda", "Oda"):
            await save(ada, first_name=name)
            assert await is_quiet(page.socket, 0.15)
        errors = [record for record in caplog.records if record.exc_info]
        assert len(errors) == 1
        assert "tests.Card with the key" in errors[0].getMessage()

        regions.failing.clear()
        await get_process().check_sockets()
        await page.shows("Oda")


async def test_an_error_in_the_template_leaves_the_last_good_state(
    ada: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        with monkeypatch.context() as wrong:
            wrong.setattr(Card, "template_name", "wrong.html")
            await save(ada, first_name="Ida")
            assert await is_quiet(page.socket)
            assert "TemplateSyntaxError" in caplog.text

        await get_process().check_sockets()
        await page.shows("Ida")


async def test_an_error_is_of_its_own_key(ada: Any, bob: Any) -> None:
    regions.failing.add(ada.pk)
    async with open_socket(SOCKET, bob) as socket:
        await watch(
            socket, (sign(bob, Card, ada.pk), ""), (sign(bob, Card, bob.pk), "")
        )
        (event,) = await next_events(socket)
        assert event["html"] == "<b>Bob</b>"


async def test_a_region_that_has_grown_too_large_stays_as_it_is(
    ada: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_live(ada, Text, 3) as page:
        monkeypatch.setattr(
            Text, "get_context", lambda self, key: {"text": "x" * 65537}
        )
        await sync_to_async(Text.changed)(3)

        assert await is_quiet(page.socket)
        assert "a region may have 65,536" in caplog.text


async def test_a_thousand_notices_are_a_few_readings(ada: Any) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        before = len(reads)
        gate.clear()
        for number in range(1000):
            get_process().live.changed(subject("tests.Card", ada.pk))
            if number == 500:
                await asyncio.sleep(0.2)
        await User.objects.filter(pk=ada.pk).aupdate(first_name="Ida")
        gate.set()

        await page.shows("Ida")
        assert 1 <= len(reads) - before <= 2
        assert max(regions.crowds) == 1


async def test_a_notice_during_a_reading_causes_another(ada: Any) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        gate.clear()
        get_process().live.changed(subject("tests.Card", ada.pk))
        await asyncio.sleep(0.1)
        before = len(reads)
        await User.objects.filter(pk=ada.pk).aupdate(first_name="Ida")
        get_process().live.changed(subject("tests.Card", ada.pk))
        gate.set()

        await page.shows("Ida")
        assert len(reads) - before <= 2


async def test_is_read_ten_times_a_second_at_most(ada: Any) -> None:
    async with open_live(ada, Card, ada.pk):
        before, end = len(reads), time.monotonic() + 1
        while time.monotonic() < end:
            get_process().live.changed(subject("tests.Card", ada.pk))
            await asyncio.sleep(0.002)
        assert 5 <= len(reads) - before <= 12


async def test_many_regions_of_a_page_are_few_queries(ada: Any) -> None:
    pairs = [(sign(ada, Team, f"name {number}"), "") for number in range(120)]
    async with open_socket(SOCKET, ada) as socket:
        for first in range(0, 120, 40):
            await watch(socket, *pairs[first : first + 40])
        shown = 0
        while shown < 120:
            shown += len(await next_events(socket))

    asked = [keys for keys in reads if str(keys[0]).startswith("name ")]
    assert sum(len(keys) for keys in asked) == 120
    assert len(asked) <= 6
    assert max(len(keys) for keys in asked) <= 50


async def test_many_pages_that_come_back_are_few_queries(
    settings: Settings,
) -> None:
    settings.CHANNELS_LIVE = {"SOCKETS_PER_SECOND": 100}
    pages = 60
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(open_socket(SOCKET)) for _ in range(pages)
        ]
        for number, socket in enumerate(sockets):
            await watch(socket, (sign(None, Team, f"name {number}"), ""))
        for socket in sockets:
            (event,) = await next_events(socket)
            assert event["html"] == ""

    assert sum(map(len, reads)) == pages
    assert len(reads) <= 6


async def test_a_slow_key_holds_up_its_own_batch_only(ada: Any) -> None:
    async with open_socket(SOCKET, ada) as socket:
        gate.clear()
        await watch(socket, (sign(ada, Card, ada.pk), ""))
        await asyncio.sleep(0.1)
        await watch(socket, (sign(ada, Text, 1), ""))

        (event,) = await next_events(socket)
        assert event["html"] == "x"
        gate.set()
        (event,) = await next_events(socket)
        assert event["html"] == "<b>Ada</b>"


async def test_a_slow_region_leaves_threads_to_others(ada: Any) -> None:
    async with open_socket(SOCKET, ada) as socket:
        gate.clear()
        for number in range(6):
            await watch(socket, (sign(ada, Card, free_key(number)), ""))
            await asyncio.sleep(0.1)
        assert max(regions.crowds) == 2
        gate.set()


async def test_each_page_has_its_own_language(ada: Any) -> None:
    async with open_socket(SOCKET, ada) as socket:
        for language, text in (("de", "Montag Dienstag"), ("en", "Monday Tuesday")):
            await watch(socket, (sign(ada, Where, 1, language), ""))
            (event,) = await next_events(socket)
            assert text in event["html"]
        await sync_to_async(Where.changed)(1)
    with override("en"):
        assert gettext("Monday") == "Monday"


async def test_everybody_in_a_process_gets_the_same_bytes(ada: Any, bob: Any) -> None:
    async with (
        open_live(ada, Card, ada.pk) as adas,
        open_live(bob, Card, ada.pk) as bobs,
    ):
        before = len(reads)
        await save(ada, first_name="Ida")
        assert await adas.receive() == await bobs.receive()
        assert len(reads) - before <= 2  # once more if the ledger is read meanwhile


async def test_unwatched_regions_stay_as_they_are(ada: Any) -> None:
    async with open_socket(SOCKET, ada) as socket:
        await watch(socket, (sign(ada, Card, ada.pk), ""))
        (event,) = await next_events(socket)
        await socket.send_json_to({"unwatch": [event["topic"]]})
        await has_entered(socket)
        await save(ada, first_name="Ida")

        assert await is_quiet(socket)
        await get_process().check_sockets()
        assert not get_process().live._topics


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written down is not published: another process has done it."""
    monkeypatch.setattr("channels_live.live.changes.publish", lambda rows: None)


@pytest.mark.usefixtures("unheard")
async def test_a_change_without_a_message_is_found(ada: Any) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        await save(ada, first_name="Ida")
        await page.shows("Ida")


@pytest.mark.usefixtures("unheard")
async def test_all_keys_change_without_a_message(ada: Any) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        await User.objects.filter(pk=ada.pk).aupdate(first_name="Ida")
        await sync_to_async(Card.changed_all)()
        await page.shows("Ida")


async def test_what_was_heard_is_not_read_again(ada: Any) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        before = len(reads)
        for name in ("Ida", "Eda", "Oda"):
            await save(ada, first_name=name)
            await page.shows(name)
            await asyncio.sleep(1.2)
        assert len(reads) - before <= 4  # once more if the ledger came in between


async def test_a_page_that_was_away_for_long_trusts_nothing(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        await User.objects.filter(pk=ada.pk).aupdate(first_name="Ida")
        monkeypatch.setattr("channels_live.live.changes.KEEP", 0)

        await page.shows("Ida")


async def test_listens_to_what_is_published(ada: Any) -> None:
    async with open_socket(SOCKET, ada) as socket:
        await socket.send_json_to(
            {"listen": [sign_name("listen", f"user {ada.pk}", "news")]}
        )
        assert await next_events(socket) == [{"listen": "news"}]
        publish("news", "<p>5 &gt; 4</p>")

        events = await next_events(socket)
        assert events == [{"listen": "news", "html": "<p>5 &gt; 4</p>"}]

        await socket.send_json_to({"unwatch": ["news"]})
        await has_entered(socket)
        publish("news", "<p>more</p>")
        assert await is_quiet(socket)


async def test_listens_to_nothing_that_no_page_named(ada: Any) -> None:
    async with open_socket(SOCKET, ada) as socket:
        name = sign_name("listen", "user 0", "news")
        await socket.send_json_to({"listen": [name]})
        assert await next_events(socket) == [{"gone": name}]


@pytest.mark.parametrize(
    "frame",
    [
        {"watch": 1},
        {"watch": [["a"]]},
        {"watch": [1]},
        {"unwatch": "abc"},
        {"listen": {}},
    ],
)
async def test_frames_that_mean_nothing_are_answered(ada: Any, frame: Any) -> None:
    async with open_socket(SOCKET, ada) as socket:
        await socket.send_json_to(frame)
        (event,) = await next_events(socket)
        assert event["error"].startswith("Expected ")


class SlowSocket:
    def __init__(self) -> None:
        self.frames: list[str] = []
        self.ready = asyncio.Event()

    async def send(self, event: dict[str, Any]) -> None:
        self.frames.append(event["text"])
        await self.ready.wait()


async def test_only_the_newest_state_waits_for_a_slow_socket() -> None:
    socket, overflows = SlowSocket(), []
    outbox = Outbox(socket.send, on_overflow=lambda: overflows.append(1))
    outbox.is_json = True
    for number in range(1000):
        for topic in ("a", "b"):
            outbox.write(f'[{{"{topic}":{number}}}' + " " * 1000 + "]", topic)
        await asyncio.sleep(0)
    socket.ready.set()
    await outbox.drain()

    assert "".join(" ".join(socket.frames).split()) == (
        '[{"a":0},{"b":0}][{"a":999},{"b":999}]'
    )
    assert not overflows


async def test_frames_stay_within_their_size() -> None:
    socket, event = SlowSocket(), '["' + "x" * 7_000 + '"]'
    socket.ready.set()
    outbox = Outbox(socket.send, on_overflow=lambda: None)
    outbox.is_json = True
    for number in range(5):
        outbox.write(event, str(number))
    await outbox.drain()

    assert [frame.count("x") // 7_000 for frame in socket.frames] == [2, 2, 1]


async def test_who_is_far_behind_with_what_is_published_is_let_go() -> None:
    socket, overflows = SlowSocket(), []
    outbox = Outbox(socket.send, on_overflow=lambda: overflows.append(1))
    outbox.is_json = True
    for _ in range(200):
        outbox.write('["' + "x" * 1000 + '"]')

    assert overflows == [1]
    assert outbox.closed
    socket.ready.set()


async def test_who_reads_no_refusals_is_let_go(ada: Any) -> None:
    async with open_socket(SOCKET, ada) as socket:
        await has_entered(socket)
        (served,) = get_process().sockets
        served.outbox.send = SlowSocket().send
        for number in range(20):
            await watch(
                socket, *((f"{number}.{n}:" + "x" * 1000, "") for n in range(10))
            )

        assert await closing_code(socket, WAIT) == CloseCode.TRY_AGAIN_LATER


async def test_a_channel_layer_that_is_back_makes_all_stale(ada: Any) -> None:
    async with open_live(ada, Card, ada.pk) as page:
        process = get_process()
        await User.objects.filter(pk=ada.pk).aupdate(first_name="Ida")
        layer_outage.begin(OSError("away"), "somewhere")
        await asyncio.sleep(1.1)
        await process.probe()

        await page.shows("Ida")


async def test_changes_arrive_while_the_channel_layer_is_away(
    ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(group: str, message: object) -> bool:
        return False

    async with open_live(ada, Card, ada.pk) as page:
        monkeypatch.setattr("channels_live.live.changes.tell", fail)
        await save(ada, first_name="Ida")
        await page.shows("Ida")
