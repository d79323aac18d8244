"""Whom daphne waits for, and what it takes from a request."""

import asyncio
from collections.abc import Callable
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from daphne import http_protocol
from pytest_django import Settings
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.http_headers import Headers

from channels_live.servers.daphne_http import TOO_LARGE, Channel, WaryRequest
from tests.library.helpers.waiting import until

PATIENCE = 60
HEAD = b"POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1000\r\n\r\n"

Transport: Any = StringTransport
Drip = Callable[..., bool]


@pytest.fixture
def drip() -> Drip:
    """Sends bytes with pauses. Returns whether daphne still waits for the rest."""
    clock = Clock()
    channel = Channel()
    channel.factory = Mock()
    channel.requestFactory = WaryRequest
    channel.callLater = clock.callLater
    channel.timeOut = PATIENCE
    transport = Transport()
    channel.makeConnection(transport)

    def drip(data: bytes, pause: float) -> bool:
        for byte in data:
            channel.dataReceived(bytes([byte]))
            clock.advance(pause)
        return not transport.disconnecting

    return drip


def test_the_head_of_a_request_is_not_waited_for_without_end(drip: Drip) -> None:
    assert drip(HEAD[:10], pause=5)
    assert not drip(HEAD[10:20], pause=5)


def test_a_body_has_a_time_of_its_own(drip: Drip, settings: Settings) -> None:
    settings.CHANNELS_LIVE = {"BODY_SECONDS": 100}
    assert drip(HEAD, pause=0.5)
    assert drip(b"x" * 9, pause=10)
    assert not drip(b"xx", pause=10)


def test_a_large_body_is_refused_before_it_is_kept(settings: Settings) -> None:
    settings.CHANNELS_LIVE = {"BODY_SIZE": 100}
    request = WaryRequest.__new__(WaryRequest)
    request.channel = SimpleNamespace(transport=Transport(), dataReceived=None)
    request.content = BytesIO()

    request.handleContentChunk(b"x" * 100)
    assert not request.is_refused
    for _ in range(2):
        request.handleContentChunk(b"x")
        assert request.channel.transport.value() == TOO_LARGE


async def test_a_stream_is_cut_once_no_byte_of_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels_live.servers.daphne_http.SEND_TIMEOUT", 0.2)
    transport = Mock(offset=0, dataBuffer=b"x" * 1000, _tempDataLen=0)
    request = WaryRequest.__new__(WaryRequest)
    request.channel = SimpleNamespace(transport=transport)
    request.pauseProducing()
    sending = asyncio.create_task(request.drain())

    for _ in range(20):
        transport.offset += 1
        await asyncio.sleep(0.05)
    assert not transport.abortConnection.called

    await until(lambda: transport.abortConnection.called)
    await sending


async def test_a_stream_goes_on_once_what_was_sent_is_read() -> None:
    transport = Mock(offset=0, dataBuffer=b"", _tempDataLen=0)
    request = WaryRequest.__new__(WaryRequest)
    request.channel = SimpleNamespace(transport=transport)
    request.pauseProducing()
    sending = asyncio.create_task(request.drain())
    await asyncio.sleep(0.05)
    assert not sending.done()

    request.resumeProducing()

    await sending
    assert not transport.abortConnection.called


def test_visitors_choose_no_mount_point(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Headers] = []
    request = WaryRequest.__new__(WaryRequest)
    request.requestHeaders = Headers({"Daphne-Root-Path": ["https://evil.example"]})
    monkeypatch.setattr(
        WaryRequest.__bases__[-1],
        "process",
        lambda self: asked.append(self.requestHeaders),
    )

    request.process()

    assert [list(headers.getAllRawHeaders()) for headers in asked] == [[]]


def test_daphne_uses_it() -> None:
    assert http_protocol.WebRequest is WaryRequest
    assert "aphne" not in WaryRequest.error_template
