"""Keeps daphne from logging each request: its lines have query strings in them.

The access log has them, the same on both servers. And for a
log that is off, Autobahn would pretty-print its settings at each new connection.
"""

from typing import Any

from autobahn.websocket import protocol as autobahn_protocol
from daphne.server import Server

_autobahn: Any = autobahn_protocol


def log_nothing(self: Server, protocol: str, action: str, details: Any) -> None:
    pass


def leave_as_it_is(described: object) -> object:
    """Stand in for pformat(): what a log needs as a text, it makes one."""
    return described


def install() -> None:
    """Have daphne use it, whether started as `daphne` or by runserver."""
    Server.log_action = log_nothing
    _autobahn.pformat = leave_as_it_is
