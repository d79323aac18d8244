"""HTTP consumers of Channels' own, beside Django."""

import asyncio
import logging
from typing import Any

import pytest
from asgiref import testing
from channels.generic.http import AsyncHttpConsumer

import apps.ops.access_log  # noqa: F401 - as servers have loaded it
from channels_live.testing import WAIT
from tests.library.helpers.waiting import until

Communicator: Any = testing.ApplicationCommunicator
BODY = {"type": "http.request", "body": b"x", "more_body": False}
GONE = {"type": "http.disconnect"}


class Stream(AsyncHttpConsumer):
    """Streams without end, or at /short/ once; notes that it is over."""

    channel_layer_alias = ""

    async def handle(self, body: bytes) -> None:
        await self.send_headers(status=201)
        while self.scope["path"] != "/short/":
            await self.send_body(b"tick", more_body=True)
            await asyncio.sleep(0.01)
        await self.send_body(b"done")
        await asyncio.sleep(0.05)  # what is to be done after the answer
        self.scope["over"].append("complete")

    async def disconnect(self) -> None:
        self.scope["over"].append("disconnected")


def ask(path: str) -> tuple[Any, list[str]]:
    over: list[str] = []
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path}
    scope |= {"headers": [], "query_string": b"", "client": ("192.0.2.1", 1)}
    return Communicator(Stream.as_asgi(), {**scope, "over": over}), over


def statuses(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [vars(one)["status"] for one in caplog.records if one.name == "access.http"]


@pytest.fixture(autouse=True)
def level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def test_a_stream_ends_with_its_visitor(caplog: pytest.LogCaptureFixture) -> None:
    request, over = ask("/")
    await request.send_input(BODY)
    assert (await request.receive_output(WAIT))["status"] == 201
    assert (await request.receive_output(WAIT))["body"] == b"tick"

    await request.send_input(GONE)
    await until(lambda: over)  # and not when it is told to end
    await request.wait(WAIT)  # raises what the application raised

    assert over == ["disconnected"]
    assert statuses(caplog) == [499]


async def test_after_its_answer_a_consumer_may_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    request, over = ask("/short/")
    await request.send_input(BODY)
    await request.receive_output(WAIT)
    assert (await request.receive_output(WAIT))["body"] == b"done"

    await request.send_input(GONE)  # as uvicorn says after each answer
    await request.wait(WAIT)

    assert over == ["complete", "disconnected"]
    assert statuses(caplog) == [201]
    assert caplog.messages == ["GET /short/ 201"]


async def test_who_leaves_within_a_body_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    request, over = ask("/")
    await request.send_input({**BODY, "more_body": True})
    await request.send_input(GONE)

    await request.wait(WAIT)

    assert over == ["disconnected"]
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
