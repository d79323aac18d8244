"""Whom daphne waits for at its end; that all are answered takes a server."""

from typing import Any
from unittest.mock import Mock

import pytest
from daphne.server import Server
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.web.http import HTTPFactory

from apps.realtime.servers import daphne_ending
from apps.realtime.servers.daphne_ending import is_idle

Factory: Any = HTTPFactory
Transport: Any = StringTransport


@pytest.fixture
def connection() -> Any:
    """A connection as Twisted has it: a transport that knows its protocol."""
    transport = Transport()
    transport.protocol = Factory().buildProtocol(Mock())
    transport.protocol.makeConnection(transport)
    return transport


def test_who_has_not_asked_yet_is_waited_for(connection: Any) -> None:
    assert is_idle(connection)

    connection.protocol.dataReceived(b"GET / HTTP/1.1\r\n")

    assert not is_idle(connection)


def test_a_socket_is_not(connection: Any) -> None:
    connection.protocol = Protocol()

    assert not is_idle(connection)
    assert not is_idle(object())


def test_daphne_ends_in_this_way() -> None:
    assert Server.kill_all_applications is daphne_ending.end
