"""What sockets are told when their process ends; that it does end takes a server."""

import asyncio
import faulthandler
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from channels_live import CloseCode
from channels_live.delivery.socket import Socket
from channels_live.process import get_process
from channels_live.servers import ending
from channels_live.servers.ending import see_to_the_end
from channels_live.testing import WAIT
from tests.library.helpers.browsing import only, socket_of

COME_BACK = CloseCode.SERVICE_RESTART
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


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "FINISH", 0.2)
    monkeypatch.setattr(ending, "ANSWER", 0.2)
    monkeypatch.setattr(ending, "see_to_the_end", lambda: None)


@pytest.fixture
async def echo() -> Echo:
    return Echo()


async def connect(echo: Echo) -> WebsocketCommunicator:
    socket = socket_of("/ws/", application=only(echo))
    assert await socket.connect(WAIT) == (True, None)
    return socket


async def end() -> None:
    """Do what servers do first at their end."""
    await ending.begin([])
    await ending.close_sockets()


async def test_an_idle_socket_is_told_to_come_back(echo: Echo) -> None:
    socket = await connect(echo)

    ended = asyncio.create_task(end())

    assert await socket.receive_output(WAIT) == BYE
    await socket.disconnect(COME_BACK)
    await ended
    assert not get_process().sockets


async def test_a_frame_that_was_read_is_answered_first(echo: Echo) -> None:
    socket = await connect(echo)
    echo.may_answer.clear()
    await socket.send_to("last words")
    await asyncio.wait_for(echo.has_taken.wait(), WAIT)

    ended = asyncio.create_task(end())
    await asyncio.sleep(0)
    echo.may_answer.set()

    assert await socket.receive_from(WAIT) == "last words"
    assert await socket.receive_output(WAIT) == BYE
    await socket.disconnect(COME_BACK)
    await ended


async def test_a_frame_that_comes_later_is_dropped(echo: Echo) -> None:
    socket = await connect(echo)
    ended = asyncio.create_task(end())
    assert await socket.receive_output(WAIT) == BYE

    await socket.send_to("too late")
    await socket.disconnect(COME_BACK)

    await ended
    assert echo.taken == []


async def test_who_comes_later_is_refused(echo: Echo) -> None:
    await end()

    socket = socket_of("/ws/", application=only(echo))

    assert await socket.connect() == (False, 1000)


async def test_who_neither_answers_nor_finishes_is_not_waited_for(echo: Echo) -> None:
    mute, busy = await connect(echo), await connect(echo)
    echo.may_answer.clear()
    await busy.send_to("never answered")
    await asyncio.wait_for(echo.has_taken.wait(), WAIT)

    async with asyncio.timeout(WAIT):
        await end()

    assert len(get_process().sockets) == 2
    for socket in (mute, busy):
        assert await socket.receive_output(WAIT) == BYE
        echo.may_answer.set()
        await socket.disconnect()


async def test_a_socket_that_is_gone_already_is_no_trouble() -> None:
    async def gone(message: Any) -> None:
        raise ConnectionError("gone")

    unused: Any = None
    socket = Socket({"path": "/ws/"}, unused, gone)
    socket.is_open = socket.is_idle = True
    get_process().sockets.add(socket)

    await ending.close_sockets()

    assert socket.is_closed


@pytest.fixture
def handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_whatever_holds_it_up_the_process_goes() -> None:
    code = (
        "import asyncio, time\n"
        "from channels_live.servers import ending\n"
        "ending.LIMIT = 0.1\n"
        "async def end():\n"
        "    ending.see_to_the_end()\n"
        "    time.sleep(60)\n"
        "asyncio.run(end())"
    )
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]

    done = subprocess.run(command, capture_output=True, timeout=30, check=False)

    assert done.returncode == 1
    assert b"Timeout" in done.stderr
    assert b"in end" in done.stderr  # what holds it up


async def test_signals_of_one_moment_are_one_and_a_later_one_ends_it(
    handlers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "MOMENT", 0.1)
    see_to_the_end()
    faulthandler.cancel_dump_traceback_later()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.raise_signal(number)
    await asyncio.sleep(0.2)

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
