from collections.abc import AsyncIterator

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from apps.web.consumers import PingConsumer

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db


@pytest.fixture
async def socket() -> AsyncIterator[WebsocketCommunicator]:
    socket = WebsocketCommunicator(PingConsumer.as_asgi(), "/ws/ping/")
    connected, _ = await socket.connect()
    assert connected
    yield socket
    await socket.disconnect()


@pytest.mark.parametrize("text", ["1", "é" * 100], ids=["short", "longest"])
async def test_text_comes_back(socket: WebsocketCommunicator, text: str) -> None:
    await socket.send_to(text_data=text)

    assert await socket.receive_from() == text


async def test_binary_is_refused(socket: WebsocketCommunicator) -> None:
    await socket.send_to(bytes_data=b"1")

    assert await socket.receive_output() == {"type": "websocket.close", "code": 1003}


async def test_long_text_is_refused(socket: WebsocketCommunicator) -> None:
    await socket.send_to(text_data="x" * 101)

    assert await socket.receive_output() == {"type": "websocket.close", "code": 1009}


async def test_it_needs_no_channel_layer(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "nowhere.Layer"}}
    socket = WebsocketCommunicator(PingConsumer.as_asgi(), "/ws/ping/")

    assert await socket.connect() == (True, None)
    await socket.disconnect()


async def test_nothing_is_answered_after_closing(socket: WebsocketCommunicator) -> None:
    await socket.send_to(bytes_data=b"1")
    await socket.receive_output()

    await socket.send_to(text_data="1")

    assert await socket.receive_nothing()
