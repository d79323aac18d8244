"""Production as a stranger meets it: what it tells, and what it lets itself be told."""

import http.client
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from baking import Project
from fleet import Fleet
from websockets import Origin
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

SAME = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
BANNER = re.compile(
    r"daphne|uvicorn|twisted|autobahn|python|django|websockets|h11", re.I
)
PATHS = {
    "/": 200,
    "/accounts/login/": 200,
    "/accounts/email/": 200,
    "/admin/": 200,
    "/chat/": 200,
    "/chat/lobby/": 200,
    "/favicon.ico": 200,
    "/no-such-page/": 404,
    "/chat/no-such-room/": 404,
    "/chat/%00/": 404,
    "/static/nothing.css": 404,
    # What lies beside the code.
    "/.env": 404,
    "/db.sqlite3": 404,
    "/static/../.env": 404,
    "/static/..%2f.env": 404,
    "/static/%2e%2e/config/settings.py": 404,
}
PROMOTE = """
from apps.users.models import User

User.objects.update(is_staff=True, is_superuser=True)
print("null")
"""
LOSE_SESSIONS = """
from django.db import connection

connection.cursor().execute("DROP TABLE django_session")
print("null")
"""
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
# Heads of requests that are none.
NONSENSE = [
    b"\x00\x01\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nBad Name: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Proto: https\r\n\r\n",
    f"GET /ws/ping/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}\r\n".encode(),
    (
        f"GET /ws/ping/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}"
        "Sec-WebSocket-Version: 8\r\n\r\n"
    ).encode(),
    (
        f"GET /ws/ping/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: \xff\r\n\r\n"
    ).encode("latin-1"),
]


@pytest.fixture
def fleet(
    server_name: str,
    production: Project,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    """A server behind a proxy that speaks HTTPS; the proxy is left to the test."""
    database = tmp_path_factory.mktemp("security") / "db.sqlite3"
    env = {
        "DATABASE_URL": f"sqlite:///{database}",
        "BEHIND_PROXY": "true",
        "USE_HTTPS_IN_ABSOLUTE_URLS": "true",
    }
    with ExitStack() as stack:
        fleet = Fleet(production, env, stack)
        fleet.start(server_name)
        yield fleet


def ask(
    fleet: Fleet, path: str, session: str = "", **headers: str
) -> http.client.HTTPResponse:
    """What comes for a path, which is sent as it is; redirects are not followed."""
    (server,) = fleet.servers
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    cookie = {"Cookie": f"__Host-sessionid={session}"} if session else {}
    given = {"X-Forwarded-Proto": "https", **cookie, **headers}
    connection.request("GET", path, headers=given)
    return connection.getresponse()


def assert_guarded(answer: http.client.HTTPResponse, path: str) -> None:
    assert {name: answer.headers[name] for name in SAME} == SAME, path
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'"), path
    assert "unsafe" not in policy
    assert "*" not in policy
    assert_anonymous(str(answer.headers))
    assert "Access-Control-Allow-Origin" not in answer.headers


def assert_anonymous(text: str) -> None:
    assert not (found := BANNER.search(text)), f"{found} in {text}"
    assert "server:" not in text.lower()


def test_no_answer_tells_too_much_or_allows_too_much(fleet: Fleet) -> None:
    (server,) = fleet.servers
    session = fleet.invite(server, "ada")[0].session.cookies["sessionid"]
    fleet.ask(PROMOTE)

    for path, status in PATHS.items():
        is_public = "accounts/login" in path
        answer = ask(fleet, path, "" if is_public else session)
        assert answer.status == status, path
        assert_guarded(answer, path)
        if is_public:
            (cookie,) = answer.headers.get_all("Set-Cookie", [])
            assert cookie.startswith("__Host-csrftoken=")
            words = set(cookie.split("; ")[1:])
            assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= words

    page = ask(fleet, "/").read().decode()
    (path,) = re.findall(r'"(/static/css/site\.\w+\.css)"', page)
    answer = ask(fleet, path)
    assert answer.status == 200
    assert_guarded(answer, path)

    # Nobody but the operator chooses where links lead.
    there = {"Daphne-Root-Path": "https://evil.example", "X-Forwarded-Host": "evil"}
    assert "evil" not in ask(fleet, "/accounts/login/", **there).read().decode()

    assert ask(fleet, "/", **{"X-Forwarded-Proto": "http"}).status == 301
    assert_anonymous(str(ask(fleet, "/health/live").headers))
    assert_handshakes_are_anonymous(fleet)
    for head in NONSENSE:
        assert_anonymous(exchange(server.port, head))
    assert "Traceback" not in server.log, server.log

    # An error that nobody foresaw.
    fleet.ask(LOSE_SESSIONS)
    answer = ask(fleet, "/", session)
    assert answer.status == 500
    assert_guarded(answer, "500")
    assert not BANNER.search(answer.read().decode())


def assert_handshakes_are_anonymous(fleet: Fleet) -> None:
    (server,) = fleet.servers
    url, host = f"{server.websocket_url}/ws/ping/", f"https://127.0.0.1:{server.port}"
    with connect(url, origin=Origin(host), proxy=None) as accepted:
        assert accepted.response
        assert_anonymous(str(accepted.response.headers))
    for origin in ("https://evil.example", host.replace("https", "http")):
        with pytest.raises(InvalidStatus) as refused:
            connect(url, origin=Origin(origin), proxy=None)
        assert refused.value.response.status_code == 403
        assert_anonymous(str(refused.value.response.headers))


def exchange(port: int, data: bytes) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(data)
        answer = client.recv(65536)
    status = int(answer.split()[1])
    assert 400 <= status < 500, answer
    return answer.decode("latin-1")
