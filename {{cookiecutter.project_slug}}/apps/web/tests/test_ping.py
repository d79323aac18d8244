"""A socket that needs no login, as an example of how sockets are tested."""

from collections.abc import AsyncIterator

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from pytest_django.asserts import assertContains

from apps.web.consumers import PingConsumer
from channels_live.testing import open_socket

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db


@pytest.fixture
async def socket() -> AsyncIterator[WebsocketCommunicator]:
    async with open_socket("/ws/ping/") as socket:
        yield socket


@pytest.mark.parametrize("frame", ["1", "é" * 100, b"1"])
async def test_a_frame_comes_back(
    socket: WebsocketCommunicator, frame: str | bytes
) -> None:
    kind = "text_data" if isinstance(frame, str) else "bytes_data"
    await socket.send_to(**{kind: frame})

    assert await socket.receive_from() == frame


async def test_nothing_is_answered_after_closing(
    socket: WebsocketCommunicator, settings: Settings
) -> None:
    settings.CHANNELS_LIVE = {**settings.CHANNELS_LIVE, "FRAME_SIZE": 10}
    await socket.send_to(text_data="x" * 11)
    assert (await socket.receive_output())["code"] == 1009

    await socket.send_to(text_data="1")

    assert await socket.receive_nothing()


async def test_who_sends_too_much_is_closed(settings: Settings) -> None:
    settings.CHANNELS_LIVE = {**settings.CHANNELS_LIVE, "FRAMES_PER_SECOND": 2}
    allowed = 2 * 5  # in five seconds
    async with open_socket("/ws/ping/") as socket:
        for _ in range(allowed + 1):
            await socket.send_to(text_data="1")

        for _ in range(allowed):
            assert await socket.receive_from() == "1"
        assert (await socket.receive_output())["code"] == 1008


async def test_it_needs_no_channel_layer(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "nowhere.Layer"}}
    socket = WebsocketCommunicator(PingConsumer.as_asgi(), "/ws/ping/")

    assert await socket.connect() == (True, None)
    await socket.disconnect()


def test_the_home_page_names_the_socket_on_its_own_host(client: Client) -> None:
    response = client.get(reverse("home"), headers={"host": "127.0.0.1:8123"})

    assertContains(response, 'data-socket="/ws/ping/"')
    assertContains(response, "<code>ws://127.0.0.1:8123/ws/ping/</code>")
