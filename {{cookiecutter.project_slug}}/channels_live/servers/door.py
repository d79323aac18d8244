"""Has the kernel let nobody in any more, before a listening socket is closed.

Whom it lets in between the last look and the close is cut off, and a proxy answers 502.
"""

import ctypes
import socket
import struct
import sys
from contextlib import suppress
from typing import Any

SO_ATTACH_FILTER = 26  # of Linux
# For the kernel's packet filter, which sees each segment from its header on: drop those
# that begin a connection. Clients send them again after a second, to a closed port.
PROGRAM = (
    (0x30, 0, 0, 13),  # load the byte with the flags
    (0x45, 0, 1, 0x02),  # skip one line unless SYN is set
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # take
)
CODE = ctypes.create_string_buffer(
    b"".join(struct.pack("HBBI", *one) for one in PROGRAM)
)


def refuse_new(listener: Any) -> None:
    """Drop whoever wants to be let in; those that wait to be accepted stay."""
    if sys.platform == "linux" and listener.family in {socket.AF_INET, socket.AF_INET6}:
        program = struct.pack("HP", len(PROGRAM), ctypes.addressof(CODE))
        with suppress(OSError):  # a sandbox does not have it
            listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
