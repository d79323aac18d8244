"""Servers as processes, and the people who visit them."""

import itertools
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from baking import NOTHING, Variables, environment
from websockets import Origin
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

START = 120  # seconds that a server may take to answer
READY = re.compile("Listening on|running on")
# A request that failed, in the log for machines or the one for people.
FAILED_REQUEST = re.compile(r' 500("| \(user|$)', re.MULTILINE)
NUMBERS = itertools.count()
HERE = "the page's own"
PASSWORD = "correct-horse-battery-9"


def obey_signals() -> None:
    """Have what is started here obey signals that a background job ignores."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            # What a process handles itself, its children have the default of.
            signal.signal(number, lambda *_: None)


def claim_ports() -> Iterator[int]:
    """Ports that no other run takes, whose clients would meet servers of this one.

    They are below those that systems give to connections.
    """
    for first in range(10_000, 32_000, 500):
        with suppress(OSError):
            CLAIM.bind(("127.0.0.1", first))  # for as long as this process lives
            return itertools.cycle(range(first + 1, first + 500))
    raise AssertionError("All ports from 10000 to 32000 are taken.")


CLAIM = socket.socket()
PORTS = claim_ports()


def free_port() -> int:
    """A port at which nobody listens, and that no connection is given meanwhile."""
    for port in PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError  # they do not end


@dataclass(frozen=True)
class Server:
    """A running server; `log` is what it has printed so far."""

    url: str
    logfile: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    def signal(self, how: signal.Signals) -> None:
        """Send a signal to the server and all its children."""
        os.killpg(self.pid, how)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def websocket_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    @property
    def log(self) -> str:
        return self.logfile.read_text()


@contextmanager
def serve(  # noqa: PLR0913
    command: Sequence[str | Path],
    *,
    cwd: Path,
    port: int,
    env: Variables = NOTHING,
    listener: socket.socket | None = None,
    host: str = "127.0.0.1",
) -> Iterator[Server]:
    """Start a server, wait until it answers, and end it and all its children.

    A `listener` is a socket that listens already, for several servers to share.
    """
    logfile = cwd.parent / f"server-{port}-{next(NUMBERS)}.log"
    with logfile.open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment({"PYTHONUNBUFFERED": "1", **env}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
            pass_fds=[listener.fileno()] if listener else [],
        )
    server = Server(f"http://{host}:{port}", logfile, process)
    try:
        wait_until_it_answers(server, process, is_shared=bool(listener))
        yield server
    finally:
        end(process)


def wait_until_it_answers(
    server: Server, process: subprocess.Popen[bytes], *, is_shared: bool
) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert process.poll() is None, f"The server ended:\n{server.log}"
        if is_shared:
            # Whoever connects may have reached another one.
            if READY.search(server.log):
                return
        else:
            with socket.socket() as probe:
                if probe.connect_ex((server.host, server.port)) == 0:
                    return
        time.sleep(0.05)
    raise AssertionError(f"No answer within {START} s:\n{server.log}")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it started: they are a group of their own."""
    for how in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            continue


class Visitor:
    """A person with cookies, without a browser."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.session = requests.Session()
        # A proxy of the machine has no part in this.
        self.session.trust_env = False

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.server.url + path, timeout=20)

    def post(
        self, path: str, *, form_on: str | None = None, **fields: str
    ) -> requests.Response:
        """Fill in the form on a page, of that path unless told another, and send it."""
        page = self.get(form_on or path)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token, f"{path} ({page.status_code}) has no form:\n{page.text}"
        return self.session.post(
            self.server.url + path,
            data={"csrfmiddlewaretoken": token[1], **fields},
            headers={"Referer": self.server.url + path},
            timeout=20,
        )

    def sign_up(self, name: str) -> None:
        answer = self.post(
            "/accounts/signup/",
            username=name,
            email=f"{name}@example.org",
            password1=PASSWORD,
            password2=PASSWORD,
        )
        assert answer.ok
        assert urlsplit(answer.url).path != "/accounts/signup/", answer.text
        assert "sessionid" in self.session.cookies

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        self.post("/accounts/login/", login=name, password=password)
        assert "sessionid" in self.session.cookies

    def connect(self, path: str, origin: str | None = HERE) -> ClientConnection:
        """Open a WebSocket, as a page of this site unless told another origin."""
        if origin == HERE:
            origin = self.server.url
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.session.cookies)
        headers = {"Cookie": cookies} if cookies else {}
        if language := self.session.headers.get("Accept-Language"):
            headers["Accept-Language"] = str(language)
        return connect(
            self.server.websocket_url + path,
            origin=None if origin is None else Origin(origin),
            additional_headers=headers,
            open_timeout=20,
            close_timeout=2,
            ping_interval=None,  # browsers send none
            proxy=None,
        )


def receive_until(socket: ClientConnection, text: str, timeout: float = 10) -> str:
    """The first frame that holds the text."""
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        frame = str(socket.recv(timeout=left))
        if text in frame:
            return frame
    raise TimeoutError(text)


def closing_code(socket: ClientConnection, timeout: float = 20) -> int | None:
    """The code that a socket is closed with, whatever comes before."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=timeout)
    return socket.close_code
