"""What a socket does with frames, good and bad."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator

from channels_live import CloseCode, Consumer, apublish, conf
from channels_live.delivery.outbox import MAX_WAITING
from channels_live.process import get_process
from channels_live.testing import WAIT, has_entered
from tests.library.helpers.asgi import application
from tests.library.helpers.browsing import closing_code, connect, only, socket_of
from tests.library.helpers.consumers import ShoutConsumer
from tests.library.helpers.listening import ListHistory

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db

MAX_FRAME: int = conf.DEFAULTS["FRAME_SIZE"]  # type: ignore[assignment]


@pytest.fixture
async def socket() -> AsyncIterator[WebsocketCommunicator]:
    socket = await connect("/ws/shout/")
    yield socket
    await socket.disconnect()


async def test_a_frame_reaches_the_consumer(socket: WebsocketCommunicator) -> None:
    await socket.send_json_to({"text": "hello"})

    assert await socket.receive_from() == "HELLO"


async def test_what_is_published_reaches_the_socket(
    socket: WebsocketCommunicator,
) -> None:
    await has_entered(socket)

    await apublish("here", "<b>hello</b>")

    assert await socket.receive_from(WAIT) == "<b>hello</b>"


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        ("hello", "Expected JSON"),
        ("", "Expected JSON"),
        ("{", "Expected JSON"),
        ("[" * 10_000, "Expected JSON"),
        ('{"text":' * 2_000, "Expected JSON"),
        ("9" * 10_000, "Expected JSON"),
        ("[1]", "Expected a JSON object"),
        ("null", "Expected a JSON object"),
        ('"text"', "Expected a JSON object"),
        (b"\x00\xff", "got binary data"),
        (b"", "got binary data"),
    ],
)
async def test_a_bad_frame_is_told_and_the_socket_lives(
    socket: WebsocketCommunicator, frame: str | bytes, sentence: str
) -> None:
    kind = "text" if isinstance(frame, str) else "bytes"
    await socket.send_input({"type": "websocket.receive", kind: frame})

    told = await socket.receive_from()
    assert isinstance(told, str)
    assert told.startswith("Rejected: ")
    assert sentence in told
    await socket.send_json_to({"text": "still here"})
    assert await socket.receive_from() == "STILL HERE"


async def test_the_largest_frame_is_read(socket: WebsocketCommunicator) -> None:
    frame = '{"text": ""}'
    text = "x" * (MAX_FRAME - len(frame))
    await socket.send_json_to({"text": text})

    assert await socket.receive_from() == text.upper()


@pytest.mark.parametrize("size", [MAX_FRAME + 1, 64 * 1024, 1024 * 1024])
@pytest.mark.parametrize("kind", ["text", "bytes"])
async def test_a_larger_frame_closes_the_socket(
    socket: WebsocketCommunicator, kind: str, size: int
) -> None:
    data: dict[str, str | bytes] = {"text": "x" * size, "bytes": b"x" * size}
    await socket.send_input({"type": "websocket.receive", kind: data[kind]})

    assert await closing_code(socket) == 1009


async def test_a_closed_socket_is_not_listened_to(
    socket: WebsocketCommunicator,
) -> None:
    await socket.send_to("x" * (MAX_FRAME + 1))
    assert await closing_code(socket) == 1009

    await socket.send_json_to({"text": "hello?"})
    await apublish("here", "hello")

    assert await socket.receive_nothing()


@pytest.mark.parametrize("how", ["when it enters", "in a frame"])
async def test_a_page_that_shows_what_is_lost_learns_so(how: str) -> None:
    query = "?2" if how == "when it enters" else ""
    socket = await connect(f"/ws/numbered/{query}")
    if not query:
        await socket.send_json_to({"after": 0})
        assert await socket.receive_from(WAIT) == "a"
        await socket.send_json_to({"after": 2})

    assert await closing_code(socket) == CloseCode.OUTDATED
    await socket.disconnect()


async def test_who_may_not_enter_learns_why() -> None:
    # Accepted first: browsers do not see the code of a refused handshake.
    socket = await connect("/ws/closed/")

    assert await closing_code(socket) == 4403
    await socket.disconnect()


class HesitantConsumer(Consumer):
    """Quits a group while it is joining it."""

    async def enter(self) -> None:
        joining = asyncio.create_task(self.join("here", history=ListHistory()))
        await asyncio.sleep(0)
        await self.quit("here")
        await joining


async def test_who_quits_while_joining_is_in_no_group() -> None:
    socket = socket_of("/", application=only(HesitantConsumer.as_asgi()))
    await socket.connect(WAIT)

    await has_entered(socket)

    assert get_process().hub.groups == {}
    await socket.disconnect()


async def test_a_socket_that_stops_reading_is_let_go() -> None:
    received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    stuck = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        sent.put_nowait(message)
        if message["type"] == "websocket.send":
            await stuck.wait()

    received.put_nowait({"type": "websocket.connect"})
    scope = socket_of("/ws/shout/").scope
    served = asyncio.create_task(application(scope, received.get, send))
    async with asyncio.timeout(WAIT):
        assert (await sent.get())["type"] == "websocket.accept"
        received.put_nowait({"type": "websocket.receive", "text": '{"text": "a"}'})
        assert (await sent.get())["text"] == "A"

        for _ in range(4):
            await apublish("here", "x" * (MAX_WAITING // 2))
            await asyncio.sleep(0.02)

        assert await sent.get() == {"type": "websocket.close", "code": 1013}
        received.put_nowait({"type": "websocket.disconnect", "code": 1013})
        await served


async def test_a_consumer_has_no_channel_layer_and_says_what_to_use() -> None:
    sentence = r"no channel layer: use self\.join\(group\).*publish\(\)"
    with pytest.raises(AttributeError, match=sentence):
        await ShoutConsumer().channel_layer.group_add("here", "x")


def test_who_may_connect_is_decided_in_enter() -> None:
    with pytest.raises(TypeError, match=r"^Open\.connect is not .* in enter\(\)\.$"):
        type("Open", (Consumer,), {"connect": None})


@pytest.mark.parametrize("groups", [["here"], ("here", "there")])
def test_groups_are_joined_and_not_declared(groups: Any) -> None:
    with pytest.raises(
        TypeError, match=r"^Eager\.groups is not .* enter\(\), with await"
    ):
        type("Eager", (Consumer,), {"groups": groups})


async def test_a_consumer_of_its_own_says_what_it_has_to_be_behind() -> None:
    scope = socket_of("/ws/shout/").scope

    with pytest.raises(
        TypeError,
        match=r"^ShoutConsumer must be routed by websocket_application\(\)\.$",
    ):
        await ShoutConsumer.as_asgi()(scope, None, None)


async def test_a_consumer_says_that_it_has_to_let_people_in(
    caplog: pytest.LogCaptureFixture,
) -> None:
    socket = socket_of("/", application=only(Consumer.as_asgi()))
    assert await socket.connect(WAIT) == (True, None)

    assert await closing_code(socket) == 1011
    assert "Consumer must define enter(), which decides who may connect." in caplog.text


async def test_what_is_sent_to_its_group_with_group_send_is_complained_of(
    socket: WebsocketCommunicator, caplog: pytest.LogCaptureFixture
) -> None:
    layer: Any = get_channel_layer()
    await has_entered(socket)

    for _ in range(3):
        await layer.group_send("here", {"type": "chat.message", "text": "hello?"})
    await get_process().hub.bus.echo()  # what was sent before has come as well
    await apublish("here", "hello")

    assert await socket.receive_from(WAIT) == "hello"
    (complaint,) = [one for one in caplog.messages if "chat.message" in one]
    assert "channels_live.publish() instead of group_send()" in complaint
