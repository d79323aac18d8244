"""Routes that could not work are told by `manage.py check`."""

from typing import Any

import pytest
from channels.generic.http import AsyncHttpConsumer
from django.core import checks
from django.urls import include, path, re_path

from channels_live import any_origin, ticket_login, websocket_application
from tests.library.helpers import channels_urls, urls
from tests.library.helpers.consumers import OrdersConsumer
from tests.library.helpers.plain import AsyncConsumer

app: Any = OrdersConsumer.as_asgi()
orders: Any = OrdersConsumer
plain: Any = AsyncConsumer


def found() -> list[tuple[str | None, str]]:
    return [(one.id, one.msg) for one in checks.run_checks(tags=[checks.Tags.urls])]


def test_the_routes_of_the_tests_are_right() -> None:
    assert found() == []


def test_a_class_among_the_websocket_routes_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nested: Any = websocket_application(
        [path("ws/app/orders/", orders)], authenticate=ticket_login, origins=any_origin
    )
    empty: Any = websocket_application([])
    routes = [
        path("ws/orders/", app),
        path("ws/board/", orders, name="board"),
        path("ws/more/", include([path("<int:pk>/", plain)])),
        re_path("^ws/app/", nested),
        re_path("^ws/none/", empty),
    ]
    monkeypatch.setattr(channels_urls, "websocket_urlpatterns", routes)

    leads = "The WebSocket route {} leads to the class {}."
    assert found() == [
        ("channels_live.E002", leads.format(route, name))
        for route, name in (
            ("'ws/board/' [name='board']", "OrdersConsumer"),
            ("'<int:pk>/'", "AsyncConsumer"),
            ("'ws/app/orders/'", "OrdersConsumer"),
        )
    ]


def test_a_slash_before_a_websocket_route_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    routes = [path("/ws/board/", app), path("ws/", include([path("/more/", app)]))]
    monkeypatch.setattr(channels_urls, "websocket_urlpatterns", routes)

    told = found()
    assert [one for one, _ in told] == ["urls.W002", "urls.W002"]
    assert "'/ws/board/'" in told[0][1]
    assert "'/more/'" in told[1][1]


def test_a_consumer_among_the_http_routes_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stream(AsyncHttpConsumer):
        pass

    stream: Any = Stream.as_asgi()
    routes = [
        path("ticker/", app),
        path("more/", include([path("class/", orders), path("stream/", stream)])),
    ]
    monkeypatch.setattr(urls, "urlpatterns", routes)

    leads = "The HTTP route {} leads to a consumer, {}."
    assert found() == [
        ("channels_live.E003", leads.format(route, name))
        for route, name in (
            ("'ticker/'", "OrdersConsumer"),
            ("'class/'", "OrdersConsumer"),
            ("'stream/'", "Stream"),
        )
    ]
