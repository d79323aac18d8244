"""What ASGI hands to an application."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

type Message = Mapping[str, Any]
type Scope = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def get_headers(scope: Scope, name: bytes) -> list[str]:
    """Return the values of all headers of that (lower-case) name."""
    headers = scope.get("headers", ())
    return [value.decode("latin-1") for key, value in headers if key == name]
