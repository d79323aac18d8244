"""Whom daphne waits for at its end; that all are answered takes a server."""

from typing import Any
from unittest.mock import Mock

import pytest
from daphne.server import Server
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.web.http import HTTPFactory

from channels_live.servers import daphne
from channels_live.servers.daphne import idle_channels

Factory: Any = HTTPFactory
Transport: Any = StringTransport


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A connection as Twisted has it: a transport that knows its protocol."""
    transport = Transport()
    transport.protocol = Factory().buildProtocol(Mock())
    transport.protocol.makeConnection(transport)
    readers = [object(), transport]
    monkeypatch.setattr(daphne, "_reactor", Mock(getReaders=lambda: readers))
    return transport


def test_who_has_not_asked_yet_is_waited_for(connection: Any) -> None:
    assert len(idle_channels()) == 1

    connection.protocol.dataReceived(b"GET / HTTP/1.1\r\n")

    assert idle_channels() == []


def test_behind_tls_too(connection: Any) -> None:
    connection.protocol = Mock(wrappedProtocol=connection.protocol)

    assert len(idle_channels()) == 1


def test_a_websocket_is_not(connection: Any) -> None:
    connection.protocol = Protocol()

    assert idle_channels() == []


def test_daphne_ends_in_this_way() -> None:
    assert Server.kill_all_applications is daphne.end
