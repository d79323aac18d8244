"""How daphne is slowed down; that it is, takes a server to see."""

from typing import Any

import pytest
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport

from channels_live.servers import daphne
from channels_live.servers.daphne import PacedWebSocketProtocol


@pytest.fixture
def protocol() -> PacedWebSocketProtocol:
    return PacedWebSocketProtocol()


def test_daphne_uses_it() -> None:
    assert WebSocketFactory.protocol is PacedWebSocketProtocol
    assert Server.handle_reply is daphne.handle_reply


async def test_a_socket_is_paused_until_it_takes_more(
    protocol: PacedWebSocketProtocol,
) -> None:
    protocol.pauseProducing()
    paused = protocol.paused
    protocol.pauseProducing()
    assert paused is not None
    assert not paused.done()

    protocol.resumeProducing()

    assert paused.done()
    assert protocol.paused is None


@pytest.mark.parametrize("end", ["resumeProducing", "stopProducing"])
async def test_what_was_not_paused_may_be_resumed_and_stopped(
    protocol: PacedWebSocketProtocol, end: str
) -> None:
    getattr(protocol, end)()

    assert protocol.paused is None


async def test_a_socket_that_is_gone_is_waited_for_no_longer(
    protocol: PacedWebSocketProtocol,
) -> None:
    protocol.pauseProducing()
    paused = protocol.paused

    protocol.stopProducing()

    assert paused is not None
    assert paused.done()


def test_an_accept_has_its_headers(protocol: PacedWebSocketProtocol) -> None:
    accepted: list[Any] = []
    protocol.client_addr = None
    protocol.handshake_deferred = Deferred().addCallback(accepted.append)
    headers = [(b"x-one", b"1"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=\xe9")]

    protocol.handle_reply({"type": "websocket.accept", "headers": headers})

    expected = {"x-one": ["1"], "set-cookie": ["a=1", "b=\xe9"]}
    assert accepted == [(None, expected)]


@pytest.mark.parametrize("reason", ["", None, "the end, é"])
def test_a_close_has_its_reason(
    protocol: PacedWebSocketProtocol,
    monkeypatch: pytest.MonkeyPatch,
    reason: str | None,
) -> None:
    sent: list[tuple[int, bytes]] = []
    monkeypatch.setattr(protocol, "sendCloseFrame", lambda *args: sent.append(args))
    monkeypatch.setattr(protocol, "state", protocol.STATE_OPEN, raising=False)

    close = {"type": "websocket.close", "code": 1012, "reason": reason}
    protocol.handle_reply(close)

    assert sent == [(1012, (reason or "").encode())]


def test_no_draft_of_the_protocol_is_spoken(protocol: PacedWebSocketProtocol) -> None:
    assert list(protocol.versions) == [13]


def test_a_socket_shares_its_options_with_all_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in daphne.SHARED_OPTIONS:
        monkeypatch.setattr(PacedWebSocketProtocol, name, None, raising=False)
    factory: Any = WebSocketFactory(None)
    factory.setProtocolOptions(openHandshakeTimeout=7)
    protocol = factory.buildProtocol(None)
    transport: Any = StringTransport
    protocol.makeConnection(transport())

    assert protocol.openHandshakeTimeout == 7
    assert list(protocol.versions) == [13]
    assert not daphne.SHARED_OPTIONS & vars(protocol).keys()
    protocol.openHandshakeTimeoutCall.cancel()


def test_compression_is_not_offered() -> None:
    factory: Any = WebSocketFactory(None)

    assert factory.perMessageCompressionAccept([]) is None


async def test_pings_are_answered_for_as_long_as_answers_are_read(
    protocol: PacedWebSocketProtocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[bytes] = []
    monkeypatch.setattr(protocol, "sendPong", answers.append)
    monkeypatch.setattr(protocol, "state", protocol.STATE_OPEN, raising=False)

    protocol.onPing(b"1")
    protocol.pauseProducing()
    protocol.onPing(b"2")
    protocol.resumeProducing()
    protocol.onPing(b"3")

    assert answers == [b"1", b"3"]
