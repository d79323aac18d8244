"""A Sentry that only remembers what it is sent."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Intake(BaseHTTPRequestHandler):
    server: "Sentry"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Encoding"] == "gzip"
        time.sleep(self.server.pause)
        self.server.received.append(gzip.decompress(body).decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Sentry(ThreadingHTTPServer):
    """Takes what Sentry would be sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Intake)
        self.received: list[str] = []
        self.pause = 0.0  # seconds before it takes an error

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(text.splitlines()[2]) for text in self.received]


@contextmanager
def listening_sentry() -> Iterator[Sentry]:
    with Sentry() as sentry:
        thread = threading.Thread(target=sentry.serve_forever, daemon=True)
        thread.start()
        yield sentry
        sentry.shutdown()
        thread.join(10)
