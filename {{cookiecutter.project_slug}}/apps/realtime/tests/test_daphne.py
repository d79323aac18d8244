"""How daphne is slowed down; that it is, takes a server to see."""

import pytest
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory

from apps.realtime import daphne
from apps.realtime.daphne import PacedWebSocketProtocol


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
