"""What a site has to be like behind any reverse proxy."""

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from serving import Server, Visitor
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

PEOPLE = 4
SOMEBODY = "127.0.0.77"
PATIENCE = 40  # seconds until whoever does not come to an end is cut off
FORGED = {
    "X-Forwarded-For": "203.0.113.6",
    "X-Forwarded-Proto": "http",
    "X-Request-ID": "mine",
}
# A page and a socket that tell who asks, as Django sees it.
VIEW = """

import os
from allauth.account.adapter import get_adapter
from django.http import JsonResponse

def who(request):
    return JsonResponse({
        "pid": os.getpid(),
        "address": request.META["REMOTE_ADDR"],
        "allauth": get_adapter().get_client_ip(request),
        "host": request.get_host(),
        "id": request.headers["X-Request-ID"],
        "secure": request.is_secure(),
    })

urlpatterns.append(path("who/", who))
"""
SOCKET = """

from channels.generic.websocket import AsyncJsonWebsocketConsumer

class Who(AsyncJsonWebsocketConsumer):
    async def connect(self):
        await self.accept(headers=[(b"x-who", b"you")])
        await self.send_json({"address": self.scope["client"][0]})

websocket_urlpatterns.append(path("ws/who/", Who.as_asgi()))
"""


def tell_who_asks(project: Path) -> None:
    for name, code in (("urls.py", VIEW), ("channels_urls.py", SOCKET)):
        with (project / "config" / name).open("a") as file:
            file.write(code)


class Source(HTTPAdapter):
    """Connects from SOMEBODY's address."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, source_address=(SOMEBODY, 0))


class Guest(Visitor):
    """Somebody at an address of their own, who trusts one authority only."""

    def __init__(self, server: Server, authority: Path) -> None:
        super().__init__(server)
        self.authority = authority
        self.session.verify = str(authority)
        self.session.mount("https://", Source())

    def ask(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(self.server.url + path, headers=headers, timeout=20)

    def who(self, **headers: str) -> dict[str, Any]:
        said: dict[str, Any] = self.ask("/who/", **headers).json()
        return said

    def open(self, path: str, origin: str, **headers: str) -> ClientConnection:
        context = ssl.create_default_context(cafile=str(self.authority))
        # The client writes in one thread while it reads in another. With TLS 1.3, that
        # is when tickets come, and OpenSSL may keep back what is written then.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return connect(
            self.server.websocket_url + path,
            origin=Origin(origin),
            additional_headers=headers,
            ssl=context,
            source_address=(SOMEBODY, 0),
            open_timeout=20,
            proxy=None,
        )


@contextmanager
def posting(guest: Guest, **fields: str) -> Iterator[list[int]]:
    """People who send forms again and again, some of them each by a new connection."""
    answers: list[int] = []
    is_over = Event()

    def post(number: int) -> None:
        person = Guest(guest.server, guest.authority)
        page = person.ask("/accounts/login/")
        token = str(person.session.cookies["__Host-csrftoken"])
        while not is_over.is_set():
            if number % 2:
                person.session.close()
            answer = person.session.post(
                f"{person.server.url}/who/",
                data=fields,
                headers={"Referer": page.url, "X-CSRFToken": token},
                timeout=20,
            )
            answers.append(answer.status_code)

    with ThreadPoolExecutor(PEOPLE) as pool:
        people = [pool.submit(post, number) for number in range(PEOPLE)]
        try:
            yield answers
        finally:
            is_over.set()
            for person in people:
                person.result()


def half_a_form(
    visitor: Visitor, *, drips: bool = True, limit: float = PATIENCE
) -> float:
    """Send half of a form, and a byte now and then; how long that may last."""
    server = visitor.server
    head = f"POST / HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 1000\r\n\r\n"
    with ExitStack() as stack:
        line = stack.enter_context(socket.create_connection((server.host, server.port)))
        if isinstance(visitor, Guest):
            context = ssl.create_default_context(cafile=str(visitor.authority))
            secure = context.wrap_socket(line, server_hostname=server.host)
            line = stack.enter_context(secure)
        line.settimeout(1)
        line.sendall(head.encode() + b"x" * 500)
        began = time.monotonic()
        with suppress(OSError):  # it is cut off
            while time.monotonic() - began < limit:
                with suppress(TimeoutError):
                    if not line.recv(4096):
                        break
                if drips:
                    line.sendall(b"x")
    return time.monotonic() - began


def assert_in_order(guest: Guest) -> None:
    """HTTPS, cookies, headers, addresses, sockets, files and sizes."""
    url = guest.server.url
    page = guest.ask("/accounts/login/")
    assert page.ok
    assert page.headers.get("Server", "nginx") == "nginx"
    assert int(page.headers["Strict-Transport-Security"].split("=")[1]) > 0
    assert all(cookie.secure for cookie in guest.session.cookies)
    assert guest.session.cookies["__Host-csrftoken"]

    for headers in ({}, FORGED):
        said = guest.who(**headers)
        assert said["address"] == said["allauth"] == SOMEBODY
        assert said["host"] == url.removeprefix("https://")
        assert said["secure"] is True
        assert re.fullmatch("[0-9a-f-]{32,36}", said["id"])
        with guest.open("/ws/who/", url, **headers) as socket:
            assert json.loads(socket.recv(timeout=10)) == {"address": SOMEBODY}
            assert socket.response
            assert socket.response.headers["X-Who"] == "you"
    with pytest.raises(InvalidStatus, match="403"):
        guest.open("/ws/who/", "https://evil.example")

    (path,) = re.findall(r'"(/static/css/site\.\w+\.css)"', page.text)
    style = guest.ask(path)
    assert style.headers["Content-Encoding"] == "gzip"
    assert style.headers["Content-Type"].startswith("text/css")
    assert "immutable" in style.headers["Cache-Control"]
    assert style.headers["X-Content-Type-Options"] == "nosniff"
    assert ":root" in style.text
    assert "immutable" not in guest.ask("/static/favicon.svg").headers.get(
        "Cache-Control", ""
    )
    missing = guest.ask("/static/css/site.0123456789ab.css")
    assert missing.status_code == 404
    assert missing.headers.get("Server", "nginx") == "nginx"
    assert "immutable" not in missing.headers.get("Cache-Control", "")
    for path in ("/static/../.env", "/static/%2e%2e/.env", "/health/ready", "/metrics"):
        assert guest.ask(path).status_code in {400, 404}

    large = guest.session.post(url, data=b"x" * 2_000_000, timeout=20)
    # Older Caddys say 502 where they cut a request off.
    assert large.status_code in {413, 502}


def assert_redirects(port: int) -> None:
    """Whoever comes by http:// is sent to the same page by https://."""
    url = f"http://localhost:{port}/chat/?a=b"
    answer = requests.get(url, allow_redirects=False, timeout=20)
    assert answer.status_code == 308
    assert answer.headers["Location"] == "https://localhost/chat/?a=b"
