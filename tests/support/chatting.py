"""A page of the chat without a browser: what its scripts do, in a thread.

It keeps what it shows, sends its messages one after the other until the server has
them, and comes back by itself, as chat/pending.js and channels_live/socket.js do.
"""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from html import unescape
from types import TracebackType
from typing import Self
from uuid import uuid4

from fleet import Stored, wait_until
from serving import Visitor
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection

FINAL = {1008, 4401, 4403, 4404}
RETRY = 5  # seconds
SILENCE = 40  # seconds until a connection is given up; after half of them it is asked
SAID = "said at "
MESSAGE = re.compile(
    r'<li class="message"[^>]* data-number="(\d+)"[^>]* data-client-id="([\w-]+)">'
    r'.*?<div class="text"[^>]*>\s*<p>(.*?)</p>',
    re.S,
)
ERROR = re.compile(
    r'<p [^>]*id="error"[^>]* data-client-id="([\w-]*)" data-retry="(\d+)"[^>]*>(.*?)<',
    re.S,
)
STORED = re.compile(r'<span [^>]*id="stored"[^>]* data-client-id="([\w-]+)"')
PERSON = re.compile(r'<li data-user="\d+">(.*?)</li>')


class Page:
    """One tab in a room; a context manager. `hurry` divides back-off and silence."""

    def __init__(self, visitor: Visitor, room: str = "lobby", hurry: float = 1) -> None:
        self.visitor = visitor
        self.room = room
        self.hurry = hurry
        self.shown: list[Stored] = []
        self.arrived: dict[str, float] = {}  # by text, on the monotonic clock
        self.pending: dict[str, str] = {}  # client_id → text, the oldest first
        self.refused: dict[str, str] = {}  # client_id → why
        self.errors: list[str] = []
        self.people: list[str] = []
        self.skipped = False
        self.connections = 0
        self.online = False
        self.code = 0  # that it was closed with last
        self.codes: list[int] = []  # and all of them
        self.closed = 0.0  # when, on the monotonic clock
        self._due = 0.0
        self._socket: ClientConnection | None = None
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        page = self.visitor.get(f"/chat/{self.room}/")
        assert page.ok, page.text
        self._take(page.text)
        self._thread.start()
        wait_until(lambda: self.online or self.code, "a page is connected", 60)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()

    @property
    def is_out(self) -> bool:
        """Whether it was told not to come back."""
        return self.code in FINAL

    @property
    def last(self) -> int:
        return self.shown[-1].number if self.shown else 0

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.shown]

    def say(self, text: str) -> str:
        """Queue a message, and send it if nothing waits before it; its client_id."""
        client_id = uuid4().hex
        with self._lock:
            self.pending[client_id] = text
            if len(self.pending) == 1:
                self._send_next()
        return client_id

    def leave(self) -> None:
        """Close the tab."""
        self._leaving.set()
        self.drop()
        self._thread.join(30)

    def drop(self) -> None:
        """Lose the connection."""
        self.online = False
        if self._socket:
            self._socket.close()

    def sees(self, text: str, timeout: float = 20) -> None:
        wait_until(lambda: text in self.arrived, f"a page shows {text!r}", timeout)

    def _run(self) -> None:
        attempt = 0
        while not self._leaving.is_set():
            heard = self.connections
            self.code = self._visit()
            self.codes.append(self.code)
            self.closed = time.monotonic()
            self.online = False
            if self.code in FINAL:
                return
            attempt = 0 if self.connections > heard else attempt
            delay = (0.5 + random.random() / 2) * min(2**attempt, 8)  # noqa: S311
            attempt += 1
            self._leaving.wait(delay / self.hurry)

    def _visit(self) -> int:
        """Stay connected for as long as it goes; the close code."""
        try:
            with self.visitor.connect(
                f"/ws/chat/{self.room}/?after={self.last}"
            ) as socket:
                self._listen(socket)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
        except (OSError, EOFError, WebSocketException):
            pass
        return 1006

    def _listen(self, socket: ClientConnection) -> None:
        self._socket = socket
        socket.send("ping")
        is_heard = False
        heard = time.monotonic()
        while not self._leaving.is_set():
            try:
                frame = str(socket.recv(timeout=0.5))
                heard = time.monotonic()
            except TimeoutError:
                frame = ""
                silence = (time.monotonic() - heard) * self.hurry
                if silence > SILENCE:
                    return
                if silence > SILENCE / 2:
                    socket.send("ping")
            with self._lock:
                if frame and not is_heard:
                    is_heard = self.online = True
                    self.connections += 1
                    self._send_next()
                self._take(frame)
                if time.monotonic() >= self._due:
                    self._send_next()

    def _take(self, frame: str) -> None:
        """Show what is in a frame, or in the whole page."""
        for number, key, text in MESSAGE.findall(frame):
            client_id = key.replace("-", "")
            self.shown.append(Stored(int(number), client_id, unescape(text)))
            self.arrived[unescape(text)] = time.monotonic()
            self._settle(client_id)
        for key in STORED.findall(frame):
            self._settle(key.replace("-", ""))
        for key, retry, sentence in ERROR.findall(frame):
            self.errors.append(unescape(sentence))
            if int(retry):
                self._due = time.monotonic() + int(retry) / 1000
            elif key:
                self.refused[key.replace("-", "")] = unescape(sentence)
                self._settle(key.replace("-", ""))
        if 'id="presence"' in frame:
            self.people = PERSON.findall(frame)
        self.skipped = self.skipped or 'class="skipped"' in frame

    def _settle(self, client_id: str) -> None:
        if self.pending.pop(client_id, None) is not None:
            self._send_next()

    def _send_next(self) -> None:
        self._due = time.monotonic() + RETRY
        if not self.online or not self._socket or not self.pending:
            return
        client_id, text = next(iter(self.pending.items()))
        # If the connection breaks, it is sent again when the page is back.
        with suppress(OSError, WebSocketException):
            self._socket.send(json.dumps({"message": text, "client_id": client_id}))


def delays(page: Page) -> list[tuple[float, float]]:
    """When what `talking` people said was said, and after how long it was here."""
    times = [
        (float(text.removeprefix(SAID)), arrival)
        for text, arrival in page.arrived.items()
        if text.startswith(SAID)
    ]
    return [(said, arrival - said) for said, arrival in times]


@contextmanager
def talking(pages: Sequence[Page], pause: float) -> Iterator[list[str]]:
    """Everyone talks, after pauses of that length on average; their client_ids.

    Each text says when it was said. Who has three messages on the way waits until one
    of them has arrived.
    """
    said: list[str] = []
    is_over = threading.Event()

    def talk(page: Page) -> None:
        while not is_over.wait(random.uniform(0, 2 * pause)):  # noqa: S311
            if len(page.pending) < 3:
                said.append(page.say(f"{SAID}{time.monotonic()}"))

    talkers = [
        threading.Thread(target=talk, args=[page], daemon=True) for page in pages
    ]
    for talker in talkers:
        talker.start()
    try:
        yield said
    finally:
        is_over.set()
        for talker in talkers:
            talker.join(30)


def assert_complete(
    pages: Sequence[Page], said: Sequence[str], stored: Callable[[], list[Stored]]
) -> None:
    """All that was said is stored once, and every page shows it in the same order.

    Not for pages that were away for so long that they are not sent all of it.
    """
    wait_until(lambda: not any(page.pending for page in pages), "all is sent", 60)
    truth = stored()
    assert sorted(client_id for _, client_id, _ in truth) == sorted(said)
    assert [number for number, _, _ in truth] == list(range(1, len(truth) + 1))
    for page in pages:
        page.sees(truth[-1].text)
        assert not page.skipped, "it was away for too long"
        differences = [
            pair for pair in zip(page.shown, truth, strict=False) if pair[0] != pair[1]
        ]
        assert not differences, differences[:3]
        assert len(page.shown) == len(truth)
        assert not page.refused
