"""Whether the numbers for Prometheus are what happened."""

from collections.abc import Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from prometheus_client import REGISTRY

from channels_live import CloseCode, apublish, disconnect
from channels_live.delivery import group, outbox
from channels_live.delivery.group import CATCH_UP
from channels_live.delivery.socket import Socket
from channels_live.observe import metrics
from channels_live.observe.outage import database_outage
from channels_live.process import get_process
from channels_live.testing import WAIT
from tests.library.helpers.browsing import closing_code, connect, socket_of
from tests.library.helpers.listening import ListHistory, listen, publish_numbers

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db

Grown = Callable[..., float]


async def has_entered(socket: WebsocketCommunicator) -> None:
    await socket.send_json_to({"text": "here?"})
    assert await socket.receive_from(WAIT) == "HERE?"


async def test_a_delivery_counts_for_each_socket_and_a_frame_for_all_in_it(
    grown: Grown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FRAME_WINDOW", 0.1)
    listeners = [await listen() for _ in range(3)]

    for text in "abc":  # the first goes at once, the others together
        await apublish("here", text)
    for listener in listeners:
        await listener.hears("c")

    assert grown("websocket_published_total") == 3
    assert grown("websocket_fragments_total") == 3
    assert grown("websocket_deliveries_total") == 9
    assert grown("websocket_frames_total") == sum(len(one.frames) for one in listeners)
    assert grown("websocket_frames_total") == 6


async def test_what_nobody_here_listens_to_is_not_counted(grown: Grown) -> None:
    group.Group("here").broadcast("while the first one enters")

    assert grown("websocket_fragments_total") == 0


async def test_a_delivery_is_timed_from_its_publication(
    grown: Grown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.commands.time.time", lambda: 1000.0)
    listener = await listen()

    for text, late in [("a", 0.02), ("b", -5), ("c", 60)]:
        monkeypatch.setattr(metrics, "time", lambda late=late: 1000 + late)
        await apublish("here", text)
        await listener.hears(text)

    count = "websocket_delivery_seconds_bucket"
    assert grown(count, le="0.001") == 1  # the clock of another machine goes wrong
    assert grown(count, le="0.01") == 1
    assert grown(count, le="0.025") == 2
    assert grown(count, le="10.0") == 2
    assert grown(count, le="+Inf") == 3
    assert grown("websocket_delivery_seconds_sum") == pytest.approx(60.02)


async def test_a_catch_up_counts_by_where_it_came_from(grown: Grown) -> None:
    history = ListHistory(*(f"<{number}>" for number in range(1, CATCH_UP + 12)))
    await listen(history=history, after=history.last - 1)  # the last one
    await listen(history=history, after=history.last - 2)  # the last two
    await listen(history=history, after=1)  # too much
    await listen(history=history, after=history.last)  # nothing

    assert grown("websocket_catch_ups_total", source="memory") == 2
    assert grown("websocket_catch_ups_total", source="database") == 1
    assert grown("websocket_skips_total") == 1


async def test_what_the_channel_layer_lost_counts_as_repaired(grown: Grown) -> None:
    history = ListHistory()
    listener = await listen(history=history, after=0)
    history.add("a", "b", "c")

    await publish_numbers(history, 1, 3)  # 2 is lost
    await listener.hears("c")

    assert grown("websocket_repaired_fragments_total") == 2  # 3 was waiting for it
    assert grown("websocket_deliveries_total") == 3


async def test_sockets_are_counted_while_they_are_open(grown: Grown) -> None:
    sockets = [await connect("/ws/shout/") for _ in range(2)]
    for socket in sockets:
        await has_entered(socket)

    assert grown("websocket_opened_total") == 2
    assert grown("websocket_open_sockets") == 2
    assert grown("websocket_received_total") == 2
    assert grown("websocket_groups") == 1

    await sockets[0].disconnect(code=1001)
    await sockets[1].disconnect(code=4999)  # which a browser may make up

    assert grown("websocket_open_sockets") == 0
    assert grown("websocket_closed_total", how="left", code="1001") == 1
    assert grown("websocket_closed_total", how="left", code="other") == 1
    assert grown("websocket_groups") == 0


@pytest.mark.django_db(transaction=True)
async def test_who_is_terminated_counts_by_the_code_and_once(grown: Grown) -> None:
    socket = await connect("/ws/shout/")
    await has_entered(socket)

    disconnect(group="here", code=CloseCode.NOT_ALLOWED)
    assert await closing_code(socket) == 4403
    await socket.disconnect(code=4403)

    assert grown("websocket_closed_total", how="terminated", code="4403") == 1
    assert grown("websocket_closed_total", how="left", code="other") == 0
    assert grown("websocket_closed_total", how="closed", code="4403") == 0
    assert grown("websocket_open_sockets") == 0


async def test_a_socket_that_its_consumer_closes(grown: Grown) -> None:
    socket = await connect("/ws/shout/")
    await socket.send_json_to({"close": 4009})

    assert await closing_code(socket) == 4009
    await socket.disconnect(code=4009)

    assert grown("websocket_closed_total", how="closed", code="4009") == 1
    assert grown("websocket_open_sockets") == 0


async def test_a_socket_that_sends_too_much(grown: Grown) -> None:
    socket = await connect("/ws/shout/")
    await socket.send_to("x" * 100_000)

    assert await closing_code(socket) == 1009
    await socket.disconnect(code=1009)

    assert grown("websocket_closed_total", how="terminated", code="1009") == 1
    assert grown("websocket_open_sockets") == 0


async def test_a_socket_whose_consumer_fails(grown: Grown) -> None:
    socket = await connect("/ws/shout/")
    await socket.send_json_to({"no text": ""})

    assert await closing_code(socket) == 1011
    await socket.wait(WAIT)
    assert grown("websocket_closed_total", how="closed", code="1011") == 1


@pytest.mark.parametrize(("path", "code"), [("closed", "4403"), ("outage", "1013")])
async def test_a_socket_that_may_not_enter(grown: Grown, path: str, code: str) -> None:
    socket = await connect(f"/ws/{path}/")
    assert await closing_code(socket) == int(code)
    await socket.disconnect()

    assert grown("websocket_closed_total", how="refused", code=code) == 1
    assert grown("websocket_open_sockets") == 0


async def test_a_handshake_that_is_refused(grown: Grown) -> None:
    socket = socket_of("/ws/no/such/")
    assert (await socket.connect())[0] is False

    assert grown("websocket_refused_handshakes_total") == 1
    assert grown("websocket_opened_total") == 0


def test_an_outage_shows_until_it_ends(grown: Grown) -> None:
    database_outage.begin(ConnectionError("away"))
    assert grown("websocket_outage", service="database") == 1
    assert grown("websocket_outage", service="channel_layer") == 0

    database_outage.end()
    assert grown("websocket_outage", service="database") == 0


@pytest.mark.django_db(transaction=True)
async def test_people_count_once_for_each_roster(ada: Any) -> None:
    server: Any = None

    def present() -> float | None:
        return REGISTRY.get_sample_value("websocket_present")

    presence = get_process().presence
    first, second = [Socket({"path": "/", "user": ada}, server, server) for _ in "ab"]
    for name, socket in [("here", first), ("here", second), ("there", first)]:
        presence.enter(name, socket, lambda people, count: "")
    await presence.tell()
    assert present() == 2

    presence.leave("here", first)
    presence.leave("there", first)
    await presence.tell()
    assert present() == 1
