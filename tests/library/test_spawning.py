"""Work that a consumer begins beside its frames."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from channels_live.servers.ending import close_sockets
from channels_live.testing import WAIT
from tests.library.helpers.browsing import connect
from tests.library.helpers.consumers import CountingConsumer
from tests.library.helpers.waiting import until

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db


@pytest.fixture
async def socket(settings: Settings) -> AsyncIterator[WebsocketCommunicator]:
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    CountingConsumer.ends.clear()
    socket = await connect("/ws/counting/", accept_language="de")
    yield socket
    await socket.disconnect()


async def test_frames_are_read_meanwhile(socket: WebsocketCommunicator) -> None:
    assert await socket.receive_from(WAIT) == "0 in de"

    await socket.send_json_to({})

    heard = [await socket.receive_from(WAIT) for _ in range(3)]
    assert "answer" in heard
    assert "1 in de" in heard


async def test_it_ends_with_its_socket(socket: WebsocketCommunicator) -> None:
    assert await socket.receive_from(WAIT) == "0 in de"
    assert CountingConsumer.ends == []

    await socket.disconnect()

    await until(lambda: CountingConsumer.ends == ["cancelled"])


async def test_it_ends_with_its_process(socket: WebsocketCommunicator) -> None:
    assert await socket.receive_from(WAIT) == "0 in de"
    ending = asyncio.create_task(close_sockets())
    while (await socket.receive_output(WAIT))["type"] != "websocket.close":
        pass
    await socket.send_input({"type": "websocket.disconnect", "code": 1012})
    await ending

    assert CountingConsumer.ends == ["cancelled"]


async def test_what_it_raises_is_logged_and_closes_nothing(
    socket: WebsocketCommunicator, caplog: pytest.LogCaptureFixture
) -> None:
    await socket.send_json_to({"fail": True})

    def failures() -> list[logging.LogRecord]:
        return [one for one in caplog.records if one.levelno == logging.ERROR]

    await until(failures)
    (failure,) = failures()
    assert failure.exc_info
    assert "RuntimeError: not thought of" in caplog.text
    await socket.send_json_to({})
    heard = [await socket.receive_from(WAIT) for _ in range(20)]
    assert heard.count("answer") == 2
