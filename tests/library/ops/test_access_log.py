import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path, reverse
from pytest_django import Settings

from apps.ops import requests
from apps.ops.logs import JSONFormatter
from apps.ops.requests import server_error
from apps.users.models import User


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("not thought of")


def reset(request: HttpRequest, key: str) -> HttpResponse:
    raise RuntimeError(f"not thought of: {key}")


urlpatterns = [
    path("", fail, name="home"),
    path("fail/", fail),
    path("reset/<str:key>/", reset),
    path("open/page/", fail, {"key": ""}),
]


class Lines(logging.Handler):
    """What the log has, as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.formatter = JSONFormatter()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += self.format(record) + "\n"

    @property
    def access(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if line["logger"] == "access.http"]


@pytest.fixture
def lines() -> Iterator[Lines]:
    lines = Lines()
    logging.getLogger().addHandler(lines)
    yield lines
    logging.getLogger().removeHandler(lines)


@pytest.mark.django_db
def test_a_request_is_one_line(client: Client, lines: Lines) -> None:
    ada = User.objects.create_user("ada")
    client.force_login(ada)

    client.get(reverse("home"), {"q": "secret"}, headers={"x-request-id": "mine"})

    (line,) = lines.access
    expected = {
        "level": "INFO",
        "method": "GET",
        "path": "/",
        "status": 200,
        "user": str(ada.pk),
        "client": "127.0.0.1",
    }
    assert line.items() >= expected.items()
    assert 0 < line["duration"] < 60
    assert line["request_id"] != "mine"  # nobody vouches for it
    assert "secret" not in lines.text
    assert client.cookies["sessionid"].value not in lines.text


async def test_so_is_one_of_an_async_server(
    async_client: AsyncClient, lines: Lines
) -> None:
    await async_client.get("/no/such/page/")

    (line,) = lines.access
    assert (line["status"], line["path"]) == (404, "/no/such/page/")


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [("a" * 64, True), ("a" * 65, False), ("a b", False), ("a\u00e9", False)],
)
def test_a_proxy_may_name_the_request(
    client: Client, lines: Lines, settings: Settings, given: str, is_taken: bool
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    client.get("/no/such/page/", headers={"x-request-id": given})

    assert (lines.access[0]["request_id"] == given) is is_taken


@pytest.mark.urls(__name__)
def test_an_error_has_the_same_id_and_a_warning(client: Client, lines: Lines) -> None:
    client.raise_request_exception = False

    client.get("/fail/")

    error, access = map(json.loads, lines.text.splitlines())
    assert (access["status"], access["level"]) == (500, "WARNING")
    assert error["request_id"] == access["request_id"]
    assert "RuntimeError: not thought of" in error["exception"]


@pytest.mark.urls(__name__)
def test_a_key_in_the_path_is_no_matter_for_the_log(
    client: Client, lines: Lines
) -> None:
    client.raise_request_exception = False

    client.get("/reset/c0ffee-c0ffee/")

    assert lines.access[0]["path"] == "/reset/***/"
    assert "c0ffee-c0ffee" not in lines.text


@pytest.mark.urls(__name__)
def test_an_empty_key_hides_nothing(client: Client, lines: Lines) -> None:
    client.raise_request_exception = False

    client.get("/open/page/")

    assert lines.access[0]["path"] == "/open/page/"


@pytest.mark.parametrize(
    ("end", "to_https"),
    [("", False), ("/", True)],
    ids=["without the last slash", "without https"],
)
def test_nor_is_it_where_the_answer_is_a_redirect(
    client: Client, lines: Lines, settings: Settings, end: str, to_https: bool
) -> None:
    settings.SECURE_SSL_REDIRECT = to_https

    answer = client.get(f"/accounts/password/reset/key/1-c0ffee-c0ffee{end}")

    assert answer.status_code == 301

    assert "***" in lines.access[0]["path"]
    assert "c0ffee-c0ffee" not in lines.text


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a\r\n{", "\x00\x1b[2J", "\u2028", "x" * 65536, '"}\\'],
    ids=["line", "return", "control", "separator", "64 KB", "quotes"],
)
def test_a_path_is_one_line_whatever_is_in_it(
    client: Client, lines: Lines, name: str
) -> None:
    client.get(f"/{name}/")

    assert len(lines.access) == 1
    assert max(map(len, lines.text.splitlines())) < 10_000


@pytest.mark.parametrize(
    ("query", "status"), [("BEGIN IMMEDIATE", 503), ("SELECT * FROM missing", 500)]
)
def test_who_has_waited_for_sqlite_in_vain_may_come_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, query: str, status: int
) -> None:
    monkeypatch.setattr(
        "apps.ops.requests.connection", SimpleNamespace(vendor="sqlite")
    )
    with (
        closing(sqlite3.connect(tmp_path / "db")) as one,
        closing(sqlite3.connect(tmp_path / "db", timeout=0)) as other,
    ):
        one.execute("BEGIN IMMEDIATE")
        try:
            other.execute(query)
        except sqlite3.OperationalError as error:
            try:
                raise OperationalError(*error.args) from error
            except OperationalError:
                response = server_error(RequestFactory().get("/"))

    assert response.status_code == status
    assert ("Retry-After" in response.headers) is (status == 503)


PROXIED = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(
    ("said", "expected", "is_proxied"),
    [
        ("https", "set BEHIND_PROXY=true in .env", False),
        ("https,http", "set BEHIND_PROXY=true in .env", False),
        ("http", None, False),
        (None, None, False),
        ("https", None, True),
        ("http", None, True),
        (None, "have the proxy set this header", True),
    ],
)
async def test_redirects_without_end_are_explained_once(
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    said: str | None,
    expected: str | None,
    is_proxied: bool,
) -> None:
    requests.explain.cache_clear()
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = PROXIED if is_proxied else None

    for _ in range(2):
        headers = {"X-Forwarded-Proto": said} if said else {}
        answer = await AsyncClient().get("/accounts/login", headers=headers)
        assert answer.status_code == 301  # at least to the slash

    logged = [record for record in caplog.records if record.name == requests.__name__]
    assert [one.levelname for one in logged] == ["WARNING"] * bool(expected)
    assert (expected or "") in caplog.text


async def test_redirects_of_others_are_not_explained(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    requests.explain.cache_clear()
    settings.SECURE_SSL_REDIRECT = False

    headers = {"X-Forwarded-Proto": "https"}
    answer = await AsyncClient().get("/accounts/login", headers=headers)

    assert (answer.status_code, caplog.text.count("HTTPS")) == (301, 0)
