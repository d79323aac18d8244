"""What pages hear of what is published, and what publish() says where nobody can."""

import asyncio
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from channels_live import (
    Fragment,
    explain_refusals,
    publish,
    websocket_application,
)
from channels_live.base import tasks
from channels_live.live.names import sign
from channels_live.observe.complaints import complain
from channels_live.process import get_process
from channels_live.testing import WAIT, open_socket
from tests.library.helpers import layers
from tests.library.helpers.listening import (
    Listener,
    ListHistory,
    listen,
    publish_numbers,
)


def test_says_so_where_no_page_can_be_reached(
    caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    layers.use(InMemoryChannelLayer, settings)
    complain.cache_clear()
    tasks.is_server.clear()
    tasks.serving.clear()
    websocket_application([])  # as in channels_urls.py, which tags load
    publish("news", Fragment("<p>Hello</p>", 1))
    assert "reaches a page" not in caplog.text
    for _ in range(2):
        publish("news", "<p>Hello</p>")
    assert caplog.text.count("reaches a page") == 1

    complain.cache_clear()
    explain_refusals(websocket_application([]), None)
    publish("news", "<p>Hello</p>")
    assert caplog.text.count("reaches a page") == 1


@pytest.mark.django_db(transaction=True)
async def test_a_page_listens_to_many_groups_though_redis_hangs(
    ada: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.observe.outage.TIMEOUT", 0.2)
    layers.use(layers.HangingLayer, settings)
    async with open_socket("/ws/live/", ada) as socket:
        groups = [f"news-{number}" for number in range(40)]
        names = [sign("listen", f"user {ada.pk}", group) for group in groups]
        await socket.send_json_to({"listen": names})

        heard = await hear(socket, len(groups))
    assert {event["listen"] for event in heard} == {*groups}


async def hear(socket: WebsocketCommunicator, count: int) -> list[Any]:
    """Wait for so many events."""
    heard: list[Any] = []
    async with asyncio.timeout(WAIT):
        while len(heard) < count:
            heard += await socket.receive_json_from(WAIT)
    return heard


@pytest.mark.django_db(transaction=True)
async def test_a_group_for_json_is_an_error_of_its_own_element_alone(
    ada: Any, caplog: pytest.LogCaptureFixture
) -> None:
    complain.cache_clear()
    groups = ("orders.7", "news")
    names = [sign("listen", f"user {ada.pk}", group) for group in groups]
    async with open_socket("/ws/live/", ada) as socket:
        await get_process().hub.join("orders.7", Listener(is_json=True).outbox)
        for _ in range(2):
            await socket.send_json_to({"listen": names})
            heard = await hear(socket, 2)
            assert {"listen": "news"} in heard
            (refused,) = (event for event in heard if "gone" in event)
            assert refused["gone"] == "orders.7"
            assert "for HTML or for JSON" in refused["error"]
        (served,) = get_process().sockets
        assert "group:orders.7" not in served.labels

        publish("news", "<p>Hello</p>")
        assert await hear(socket, 1) == [{"listen": "news", "html": "<p>Hello</p>"}]
    assert caplog.text.count("for HTML or for JSON") == 1


@pytest.mark.django_db(transaction=True)
async def test_a_page_listens_to_a_group_that_gets_a_history_later(ada: Any) -> None:
    history = ListHistory("one")
    async with open_socket("/ws/live/", ada) as socket:
        await socket.send_json_to(
            {"listen": [sign("listen", f"user {ada.pk}", "here")]}
        )
        assert await socket.receive_json_from(WAIT) == [{"listen": "here"}]

        listener = await listen(history=history, after=0)
        await listener.hears("one")
        history.add("two")
        await publish_numbers(history, 2)
        await listener.hears("two")
        event = {"listen": "here", "html": "two"}
        assert await socket.receive_json_from(WAIT) == [event]
