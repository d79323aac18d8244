"""What daphne does not do for logs that nobody reads."""

from pprint import PrettyPrinter
from typing import Any

import pytest
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.testing import StringTransport


def test_a_connection_is_not_described_for_a_log_that_is_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    described: list[object] = []
    monkeypatch.setattr(PrettyPrinter, "pformat", lambda self, it: described.append(it))
    protocol: Any = WebSocketFactory(None).buildProtocol(None)
    protocol.openHandshakeTimeout = 0
    transport: Any = StringTransport

    protocol.makeConnection(transport())

    assert protocol.state == protocol.STATE_CONNECTING
    assert described == []
