"""Keeps daphne from logging each request: its lines have query strings in them.

apps.realtime.access and apps.web.access log them, the same on both servers.
"""

from typing import Any

from daphne.server import Server


def log_nothing(self: Server, protocol: str, action: str, details: Any) -> None:
    pass


def install() -> None:
    """Have daphne use it, whether started as `daphne` or by runserver."""
    Server.log_action = log_nothing
