"""Events of JSON, and the sockets that they are for."""

import asyncio
import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from channels_live import (
    CloseCode,
    Consumer,
    Event,
    Fragment,
    JsonConsumer,
    apublish,
    apublish_event,
    publish,
    publish_event,
)
from channels_live.delivery.group import CATCH_UP
from channels_live.delivery.outbox import MAX_WAITING
from channels_live.presence import Roster
from channels_live.process import get_process
from channels_live.testing import WAIT, has_entered, open_socket
from tests.library.helpers.browsing import browser_of, closing_code, only, socket_of
from tests.library.helpers.listening import Listener
from tests.library.helpers.waiting import until

DATABASE = pytest.mark.django_db(transaction=True)


class EventHistory:
    """The numbered events of one group, in a list."""

    def __init__(self, last: int) -> None:
        self.last = last

    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        return dict.fromkeys(groups, self.last)

    async def load(self, group: str, after: int, limit: int) -> list[Event]:
        numbers = range(after + 1, self.last + 1)[:limit]
        return [Event({"n": number}, number) for number in numbers]

    def skipped(self, group: str, after: int, until: int) -> str | Mapping[str, object]:
        return {"skipped": until - after}


class HtmlHistory(EventHistory):
    """Has HTML, where events are expected."""

    def skipped(self, group: str, after: int, until: int) -> str:
        return "<p>much</p>"


async def listen(
    history: EventHistory | None = None, after: int | None = None
) -> Listener:
    """A socket of a JsonConsumer that has joined a group."""
    listener, process = Listener(is_json=True), get_process()
    await process.start()
    await process.hub.join("orders", listener.outbox, history=history, after=after)
    return listener


def events(frames: list[str]) -> list[dict[str, Any]]:
    return [event for frame in frames for event in json.loads(frame)]


async def enter(user: Any) -> WebsocketCommunicator:
    socket = socket_of("/ws/orders/", await browser_of(user))
    assert await socket.connect(WAIT) == (True, None)
    assert await socket.receive_json_from(WAIT) == [{"you": user.username}]
    return socket


@DATABASE
async def test_all_hear_what_one_says(ada: Any, bob: Any) -> None:
    sockets = [await enter(ada), await enter(bob)]
    await sockets[0].send_json_to({"say": ["é", 1.5, None]})
    for socket in sockets:
        assert await socket.receive_json_from(WAIT) == [{"said": ["é", 1.5, None]}]
        await socket.disconnect()


@DATABASE
async def test_who_has_quit_hears_no_more(ada: Any, bob: Any) -> None:
    quits, stays = await enter(ada), await enter(bob)
    await quits.send_json_to({"quit": True})
    assert await quits.receive_json_from(WAIT) == [{"quit": True}]
    await stays.send_json_to({"say": 1})
    assert await stays.receive_json_from(WAIT) == [{"said": 1}]
    await has_entered(quits)  # and has heard nothing
    await quits.send_json_to({"quit": True})  # harmless
    assert await quits.receive_json_from(WAIT) == [{"quit": True}]
    for socket in (quits, stays):
        await socket.disconnect()


@DATABASE
async def test_a_bad_frame_is_answered(ada: Any) -> None:
    socket = await enter(ada)
    for frame, sentence in [
        ("[]", "Expected a JSON object"),
        ("[" * 16_000, "Expected JSON"),
        ("{}", "Expected say or quit"),
    ]:
        await socket.send_to(text_data=frame)
        (event,) = await socket.receive_json_from(WAIT)
        assert sentence in event["error"]
    await socket.send_to(bytes_data=b"{}")
    (event,) = await socket.receive_json_from(WAIT)
    assert "binary" in event["error"]
    await has_entered(socket)
    await socket.disconnect()


async def test_events_of_one_moment_share_an_array() -> None:
    listener = await listen()
    await asyncio.gather(
        *(apublish_event("orders", {"n": n}, {"m": n}) for n in range(20))
    )
    await listener.hears('"m":19')
    assert len(events(listener.frames)) == 40
    assert len(listener.frames) < 10


async def test_a_slow_reader_gets_arrays_and_is_closed_in_the_end() -> None:
    listener = await listen()
    takes = asyncio.Event()
    taken: list[str] = []

    async def wait(message: dict[str, Any]) -> None:
        await takes.wait()
        taken.append(message["text"])

    listener.outbox.send = wait
    for number in range(3):
        await apublish_event("orders", {"n": number})
        await asyncio.sleep(0.05)
    listener.outbox.write("[]")
    takes.set()
    await listener.outbox.drain()
    await asyncio.sleep(0)
    await listener.outbox.drain()
    assert events(taken) == [{"n": number} for number in range(3)]

    takes.clear()
    for _ in range(3):
        await apublish_event("orders", {"text": "x" * (MAX_WAITING - 100)})
        await asyncio.sleep(0.05)
    assert listener.overflows == 1


async def test_numbered_events_are_caught_up_on() -> None:
    history = EventHistory(3)
    listener = await listen(history, after=1)
    assert events(listener.frames) == [{"n": 2}, {"n": 3}]
    history.last = 5
    await apublish_event("orders", Event({"n": 5}, 5))  # 4 was lost
    await listener.hears('"n":5')
    assert events(listener.frames) == [{"n": number} for number in range(2, 6)]
    history.last = 1000
    await get_process().hub.repair()
    late = await listen(history, after=2)
    first, *rest = events(late.frames)
    assert first == {"skipped": 998 - CATCH_UP}
    assert rest == [{"n": number} for number in range(1001 - CATCH_UP, 1001)]


async def test_html_in_a_history_of_events_is_an_error() -> None:
    with pytest.raises(TypeError, match="an event as a dictionary, got str: '<p>much"):
        await listen(HtmlHistory(1000), after=1)


async def test_a_group_is_for_html_or_for_json(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener, page, process = await listen(), Listener(), get_process()
    with pytest.raises(ValueError, match="is for HTML or for JSON"):
        await process.hub.join("orders", page.outbox, history=None, after=None)
    await process.hub.join("pages", page.outbox, history=None, after=None)

    await apublish("orders", "<p>garbage</p>")
    await apublish_event("pages", {"garbage": True})
    await apublish_event("orders", {"n": 1})
    await apublish("pages", "<p>1</p>")

    await listener.hears("n")
    await page.hears("<p>1</p>")
    assert listener.frames == ['[{"n":1}]']
    assert page.heard == "<p>1</p>"
    for group in ("orders", "pages"):
        assert f"published to the group '{group}' reaches none" in caplog.text


def test_the_other_form_is_an_error_at_once() -> None:
    wrong: Any
    for say, wrong, sentence in [
        (publish, Event({"n": 1}), r"use publish_event\(\)"),
        (publish, {"n": 1}, "HTML as str, got dict"),
        (publish_event, Fragment("<p>"), "as a dictionary, got F"),
        (publish_event, "<p>", "as a dictionary, got str"),
        (publish_event, Event({}, -1), "number as int, got -1"),
    ]:
        with pytest.raises(TypeError, match=sentence):
            say("orders", wrong)


@pytest.mark.parametrize("base", [Consumer, JsonConsumer])
async def test_pushing_the_other_form_is_an_error(base: type[Consumer]) -> None:
    class Wrong(base):  # type: ignore[misc, valid-type]
        async def enter(self) -> None:
            self.push("<p>" if base is JsonConsumer else {"n": 1})

    socket = socket_of("/", application=only(Wrong.as_asgi()))
    await socket.connect(WAIT)
    assert await closing_code(socket) == CloseCode.INTERNAL_ERROR


@DATABASE
@pytest.mark.parametrize("is_right", [True, False])
async def test_a_roster_is_an_event(
    ada: Any, is_right: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def roster(people: list[Any], count: int) -> str | Mapping[str, object]:
        return {"here": count} if is_right else "<p>"

    class Rostered(JsonConsumer):
        async def enter(self) -> None:
            shown: Roster = roster
            await self.join("orders", roster=shown)

    application = only(Rostered.as_asgi())
    socket = socket_of("/", await browser_of(ada), application=application)
    await socket.connect(WAIT)
    if is_right:
        assert await socket.receive_json_from(WAIT) == [{"here": 1}]
    else:
        await until(lambda: "as a dictionary, got str: '<p>'" in caplog.text)
    await has_entered(socket)
    await socket.disconnect()


@DATABASE
async def test_the_helper_of_tests_knows_json(ada: Any) -> None:
    async with open_socket("/ws/orders/", ada) as socket:
        assert await socket.receive_json_from(WAIT) == [{"you": "ada"}]
        await has_entered(socket)
