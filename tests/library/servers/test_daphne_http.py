"""Whom daphne waits for, and what it takes from a request."""

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


def test_visitors_choose_no_mount_point(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Headers] = []
    request = WaryRequest.__new__(WaryRequest)
    request.requestHeaders = Headers({"Daphne-Root-Path": ["https://evil.example"]})
    monkeypatch.setattr(
        WaryRequest.__base__, "process", lambda self: asked.append(self.requestHeaders)
    )

    request.process()

    assert [list(headers.getAllRawHeaders()) for headers in asked] == [[]]


def test_daphne_uses_it() -> None:
    assert http_protocol.WebRequest is WaryRequest
    assert "aphne" not in WaryRequest.error_template
