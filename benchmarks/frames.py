"""Just enough of the WebSocket protocol for a client that counts."""

import base64
import os
import struct
from collections.abc import Mapping

TEXT = 0x81
PONG = 0x8A


def handshake(host: str, path: str, headers: Mapping[str, str]) -> bytes:
    """The request that opens a WebSocket; it offers no compression."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


def encode(payload: bytes, opcode: int = TEXT) -> bytes:
    """A client's frame. Its mask is zero: masked, as it must be, at no cost."""
    size = len(payload)
    if size < 126:
        header = struct.pack("!BB", opcode, 0x80 | size)
    else:
        header = struct.pack("!BBH", opcode, 0x80 | 126, size)
    return header + bytes(4) + payload
