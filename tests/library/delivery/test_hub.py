"""Who hears what is published."""

import asyncio
import logging
from collections.abc import Collection
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from pytest_django import Settings

from channels_live import Fragment, apublish, disconnect, publish
from channels_live.delivery.group import FEWEST, KEPT, RECENT
from channels_live.delivery.sending import EVERYBODY, get_layer
from channels_live.observe.outage import database_outage, layer_outage
from channels_live.process import get_process
from channels_live.testing import WAIT, has_entered
from tests.library.helpers import layers
from tests.library.helpers.browsing import connect
from tests.library.helpers.listening import Listener, ListHistory, listen
from tests.library.helpers.telling import overhear, tell_as_another
from tests.library.helpers.waiting import until


async def test_every_socket_of_a_group_hears_it() -> None:
    listeners = [await listen() for _ in range(3)]

    await apublish("here", "hello")

    for listener in listeners:
        await listener.hears("hello")
        assert listener.frames == ["hello"]


async def test_sockets_of_another_group_hear_nothing() -> None:
    here = await listen("here")
    there = await listen("there")

    await apublish("here", "for here")
    await apublish("there", "for there")

    await there.hears("for there")
    await here.hears("for here")
    assert there.heard == "for there"
    assert here.heard == "for here"


async def test_sync_code_publishes_too() -> None:
    listener = await listen()

    await sync_to_async(publish)("here", "hello")

    await listener.hears("hello")


async def test_what_threads_publish_at_once_arrives_in_the_order_of_each() -> None:
    threads = 4
    listeners = {
        f"of-{number}": await listen(f"of-{number}") for number in range(threads)
    }

    def say(group: str) -> None:
        for number in range(250):
            publish(group, f"<{number}>")

    await asyncio.gather(*(asyncio.to_thread(say, group) for group in listeners))

    for listener in listeners.values():
        await listener.hears("<249>")
        assert listener.heard == "".join(f"<{number}>" for number in range(250))


async def test_fragments_arrive_in_the_order_they_were_published() -> None:
    listener = await listen()
    texts = [f"<{number}>" for number in range(500)]

    for text in texts:
        await apublish("here", text)

    await listener.hears(texts[-1])
    assert listener.heard == "".join(texts)


async def test_the_first_fragment_goes_at_once_and_those_after_it_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels_live.delivery.outbox.FRAME_WINDOW", 0.3)
    listener = await listen()

    await apublish("here", "a")
    await listener.hears("a")
    await apublish("here", "b")
    await apublish("here", "c")

    await listener.hears("c")
    assert listener.frames == ["a", "bc"]


async def test_who_left_hears_nothing() -> None:
    stays = await listen()
    leaves = await listen()

    get_process().hub.quit("here", leaves.outbox)
    await apublish("here", "hello")

    await stays.hears("hello")
    assert leaves.heard == ""


async def test_a_group_that_everyone_left_can_be_joined_again() -> None:
    leaves = await listen()
    get_process().hub.quit("here", leaves.outbox)
    await apublish("here", "to nobody")

    comes_back = await listen()
    await apublish("here", "to somebody")

    await comes_back.hears("to somebody")
    # The other one may have been under way when the socket came.
    assert comes_back.heard.removeprefix("to nobody") == "to somebody"


async def test_a_group_that_is_left_and_joined_at_once_is_heard() -> None:
    hub = get_process().hub
    leaves = await listen()

    hub.quit("here", leaves.outbox)
    comes = await listen()
    await apublish("here", "hello")

    await comes.hears("hello")
    assert leaves.heard == ""


async def test_who_leaves_the_group_of_all_processes_makes_none_deaf(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = await overhear(partial(disconnect, session="nobody's"))
    heard = asyncio.Event()
    process = get_process()
    monkeypatch.setattr(process.registry, "revoke", lambda *args: heard.set())
    leaves = await listen(EVERYBODY)

    process.hub.quit(EVERYBODY, leaves.outbox)
    await tell_as_another(message)

    async with asyncio.timeout(WAIT):
        await heard.wait()


async def test_leaving_a_group_that_was_never_joined_is_no_error() -> None:
    get_process().hub.quit("nowhere", Listener().outbox)


async def test_a_closed_socket_does_not_disturb_the_others() -> None:
    closed = await listen()
    closed.outbox.close()
    stays = await listen()

    await apublish("here", "hello")

    await stays.hears("hello")
    assert closed.heard == ""


async def test_a_group_has_one_history() -> None:
    first, second = ListHistory("a"), ListHistory("a")
    listener = await listen(history=first)

    with pytest.raises(ValueError, match=r"'here' was joined with the history .* too"):
        await listen(history=second)

    same = await listen(history=first)
    await apublish("here", "hello")
    for one in (listener, same):
        await one.hears("hello")
        get_process().hub.quit("here", one.outbox)
    await listen(history=second)  # who is gone does not count


async def test_whoever_joins_without_the_history_hears_what_comes_from_now_on() -> None:
    history = ListHistory("a")
    before = await listen()
    with_it = await listen(history=history, after=0)
    after = await listen()

    history.add("b", "c")
    await apublish("here", history.fragments[2])  # the other is lost

    for one in (before, with_it, after):
        await one.hears("c")
    assert (before.heard, with_it.heard, after.heard) == ("bc", "abc", "bc")


async def test_a_number_without_a_history_is_delivered_and_complained_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener = await listen("bare")

    with caplog.at_level(logging.ERROR):
        for number in (7, 3, 4):
            await apublish("bare", Fragment(f"<{number}>", number))
        await listener.hears("<4>")

    assert listener.heard == "<7><3><4>"
    (complaint,) = caplog.messages
    assert "published to the group 'bare', which has no history" in complaint


async def test_a_message_of_another_kind_is_complained_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    layer: Any = get_channel_layer()
    listener = await listen("there")

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await layer.group_send(
                "there", {"type": "of.another.kind", "text": "hello?"}
            )
        await apublish("there", "hello")
        await listener.hears("hello")

    assert listener.heard == "hello"
    (complaint,) = caplog.messages
    assert "A message of type 'of.another.kind' was sent to a group" in complaint
    assert "channels_live.publish() instead of group_send()" in complaint


async def test_many_groups_take_turns_unless_something_was_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels_live.delivery.hub.LOOK", 2)
    hub, history = get_process().hub, NotingHistory("a")
    for number in range(5):
        await listen(f"group-{number}", history=history, after=1)

    async def look() -> int:
        history.asked = 0
        await hub.repair()
        return history.asked

    layer_outage.begin(OSError("away"), "here")
    assert [await look() for _ in range(2)] == [5, 5]  # while it is away
    layer_outage.end("here")
    assert [await look() for _ in range(4)] == [2, 2, 1, 2]
    for outage in (layer_outage, database_outage):
        outage.begin(OSError("away"))  # and back before anybody looks
        outage.end()
        assert [await look() for _ in range(2)] == [5, 2]
    history.add("b")
    looked_at, all_of_them = await look(), await look()
    assert (looked_at, all_of_them) == (2, 5)


class NotingHistory(ListHistory):
    asked = 0

    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        self.asked = max(self.asked, len(groups))
        return await super().last_numbers(groups)


async def test_many_groups_keep_few_fragments_each() -> None:
    texts = [f"<{number}>" for number in range(1, 501)]
    history, process = ListHistory(*texts), get_process()
    first = await listen("first", history=history, after=500 - RECENT)
    groups = process.hub.groups
    assert len(groups["first"].recent) == RECENT

    for number in range(KEPT // FEWEST):
        await listen(f"group-{number}", history=history, after=500 - FEWEST)
    await process.hub.repair()
    await process.hub.repair()

    assert {len(groups[f"group-{n}"].recent) for n in range(400, 500)} == {FEWEST}
    assert sum(len(group.recent) for group in groups.values()) <= KEPT + 2 * FEWEST
    late = await listen("first", history=history, after=100)
    assert late.heard == "[skipped 101 to 200]" + "".join(texts[200:])
    assert first.heard == "".join(texts[-RECENT:])


class LoadingHistory(NotingHistory):
    loads = 0

    async def load(self, group: str, after: int, limit: int) -> list[Fragment]:
        self.loads += 1
        return await super().load(group, after, limit)


async def test_pages_that_missed_nothing_share_a_question_and_load_nothing() -> None:
    history = LoadingHistory(*(f"<{number}>" for number in range(1, 101)))
    await listen(history=history)

    names = [f"group-{number}" for number in range(20)]
    await asyncio.gather(*(listen(name, history=history, after=100) for name in names))

    assert history.asked >= 10
    assert history.loads == 0


async def test_pages_that_missed_something_load_it_once() -> None:
    history = LoadingHistory(*(f"<{number}>" for number in range(1, 101)))

    ahead = [listen(history=history, after=98) for _ in range(10)]
    listeners = await asyncio.gather(*ahead)
    behind = [listen(history=history, after=number) for number in range(50, 90)]
    last, *_ = reversed(await asyncio.gather(*behind))

    assert {listener.heard for listener in listeners} == {"<99><100>"}
    assert last.heard == "".join(f"<{number}>" for number in range(90, 101))
    assert history.loads == 2


class SlowHistory(ListHistory):
    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        await asyncio.sleep(WAIT)
        return await super().last_numbers(groups)


async def test_nothing_stays_of_a_socket_that_closes_while_it_joins() -> None:
    hub, socket = get_process().hub, Listener()
    joining = asyncio.create_task(
        hub.join("here", socket.outbox, history=SlowHistory(), after=0)
    )
    await until(lambda: "here" in hub.groups)

    joining.cancel()
    hub.quit("here", socket.outbox)

    await asyncio.wait([joining])
    assert "here" not in hub.groups


async def garbage() -> dict[str, Any]:
    """What no process says, and its name."""
    fragments = await overhear(partial(publish, "nowhere", "a"), "nowhere")
    parting = await overhear(partial(disconnect, session="nobody's"))
    found: dict[str, Any] = {
        **{"a text": "hello", "nothing": None, "a list": [fragments], "no message": {}},
        "no MessagePack": ValueError("Unpack failed: incomplete input"),
        "no kind": {"type": fragments["type"]},
        "a kind that is not": {**fragments, "kind": "Nonsense"},
        "a kind that cannot be": {**fragments, "kind": [fragments["kind"]]},
        "a number as HTML": {**fragments, "group": "here", "pairs": [[5, 0]]},
        "no number": {**fragments, "group": "here", "pairs": [["a"]]},
        "no pairs": {**fragments, "group": "here", "pairs": None},
        "no labels": {**parting, "labels": []},
        "a code that is none": {**parting, "code": "soon"},
        "a moment that is none": {**fragments, "group": "here", "published": "now"},
    }
    for message, needed in [
        (fragments, ("kind", "group", "pairs")),
        (parting, ("kind", "labels", "code")),
    ]:
        for name in needed:
            rest = {key: value for key, value in message.items() if key != name}
            found[f"{message['kind']} without {name}"] = rest
    return found


@pytest.mark.django_db(transaction=True)
async def test_garbage_of_another_process_is_dropped_and_harms_nobody(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    layers.use(layers.ScriptedLayer, settings)
    layer: Any = get_layer()
    listener = await listen()
    unheard = set()

    for name, message in (await garbage()).items():
        caplog.clear()
        layer.script(message)
        await apublish("here", f"<before {name}>")  # which it is received after
        await apublish("here", f"<after {name}>")
        await listener.hears(f"<after {name}>")
        await until(lambda: not layer.scripted)
        said = [(one.levelname, one.message.split(":")[0]) for one in caplog.records]
        if said != [("WARNING", "A message of another version is dropped")]:
            unheard.add((name, *said))
        socket = await connect("/ws/shout/")
        await has_entered(socket)
        await socket.disconnect()

    assert unheard == set()
