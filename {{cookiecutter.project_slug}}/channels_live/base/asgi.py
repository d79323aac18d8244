"""Types of what servers, middleware and consumers hand to each other."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypedDict

from django.contrib.sessions.backends.base import SessionBase

type Event = dict[str, Any]
type Receive = Callable[[], Awaitable[Event]]
type Send = Callable[[Event], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Scope(TypedDict, total=False):
    """What is known of a connection: by ASGI, by Channels and by this library."""

    type: str
    path: str
    root_path: str
    query_string: bytes
    headers: Iterable[tuple[bytes, bytes]]
    client: tuple[str, int] | None
    subprotocols: Iterable[str]
    url_route: dict[str, Any]
    cookies: dict[str, str]
    session: SessionBase
    user: Any  # of the project's own model, or anonymous
    socket: Any  # of this library: see delivery/socket.py
