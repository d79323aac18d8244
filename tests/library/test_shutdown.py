"""What sockets are told when their process ends; that it does end takes a server."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from apps.realtime import shutdown
from apps.realtime.codes import COME_BACK
from apps.realtime.shutdown import Farewell, ShutdownMiddleware
from apps.realtime.tests.listening import WAIT

BYE = {"type": "websocket.close", "code": COME_BACK}


class Echo:
    """An endpoint that answers each frame when it may, and notes those it took."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.has_taken = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            self.taken.append(message["text"])
            self.has_taken.set()
            await self.may_answer.wait()
            await send({"type": "websocket.send", "text": message["text"]})


@pytest.fixture
def farewell(monkeypatch: pytest.MonkeyPatch) -> Farewell:
    farewell = Farewell()
    monkeypatch.setattr(shutdown, "farewell", farewell)
    monkeypatch.setattr(shutdown, "FINISH", 0.2)
    monkeypatch.setattr(shutdown, "ANSWER", 0.2)
    return farewell


@pytest.fixture
async def echo() -> Echo:
    return Echo()


async def connect(echo: Echo) -> WebsocketCommunicator:
    socket = WebsocketCommunicator(ShutdownMiddleware(echo), "/ws/")
    assert await socket.connect() == (True, None)
    return socket


async def test_an_idle_socket_is_told_to_come_back(
    farewell: Farewell, echo: Echo
) -> None:
    socket = await connect(echo)

    saying = asyncio.create_task(farewell.say())

    assert await socket.receive_output(WAIT) == BYE
    await socket.disconnect(COME_BACK)
    await saying
    assert not farewell.sockets


async def test_a_frame_that_was_read_is_answered_first(
    farewell: Farewell, echo: Echo
) -> None:
    socket = await connect(echo)
    echo.may_answer.clear()
    await socket.send_to("last words")
    await asyncio.wait_for(echo.has_taken.wait(), WAIT)

    saying = asyncio.create_task(farewell.say())
    await asyncio.sleep(0)
    echo.may_answer.set()

    assert await socket.receive_from(WAIT) == "last words"
    assert await socket.receive_output(WAIT) == BYE
    await socket.disconnect(COME_BACK)
    await saying


async def test_a_frame_that_comes_later_is_dropped(
    farewell: Farewell, echo: Echo
) -> None:
    socket = await connect(echo)
    saying = asyncio.create_task(farewell.say())
    assert await socket.receive_output(WAIT) == BYE

    await socket.send_to("too late")
    await socket.disconnect(COME_BACK)

    await saying
    assert echo.taken == []


async def test_who_comes_later_is_refused(farewell: Farewell, echo: Echo) -> None:
    await farewell.say()

    socket = WebsocketCommunicator(ShutdownMiddleware(echo), "/ws/")

    assert await socket.connect() == (False, 1000)


async def test_who_neither_answers_nor_finishes_is_not_waited_for(
    farewell: Farewell, echo: Echo
) -> None:
    mute, busy = await connect(echo), await connect(echo)
    echo.may_answer.clear()
    await busy.send_to("never answered")
    await asyncio.wait_for(echo.has_taken.wait(), WAIT)

    async with asyncio.timeout(WAIT):
        await farewell.say()

    assert len(farewell.sockets) == 2
    for socket in (mute, busy):
        assert await socket.receive_output(WAIT) == BYE
        echo.may_answer.set()
        await socket.disconnect()


async def test_a_socket_that_is_gone_already_is_no_trouble(farewell: Farewell) -> None:
    async def gone(message: Any) -> None:
        raise ConnectionError("gone")

    socket = shutdown.Socket(receive=None, send=gone)

    await socket.tell()

    assert socket.is_told


@pytest.fixture
def handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_whatever_holds_it_up_the_process_goes(
    handlers: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    is_gone = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda status: is_gone.set())
    monkeypatch.setattr(shutdown, "LIMIT", 0.01)

    shutdown.see_to_the_end()

    assert is_gone.wait(WAIT)
    assert "Something has not ended" in caplog.text


def test_signals_of_one_moment_are_one_and_a_later_one_ends_it(
    handlers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Timer, "start", lambda timer: None)
    shutdown.see_to_the_end()
    signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL

    monkeypatch.setattr(shutdown, "MOMENT", 0)
    on_signal: Any = signal.getsignal(signal.SIGTERM)
    raised: list[int] = []
    statuses: list[int] = []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    monkeypatch.setattr(os, "_exit", statuses.append)
    on_signal(signal.SIGTERM, None)

    assert raised == [signal.SIGTERM]
    assert statuses == [128 + signal.SIGTERM]  # of a process that is immune
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
