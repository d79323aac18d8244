import gc
from typing import Any, cast

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.http import HttpRequest
from django.urls import path, re_path
from pytest_django import Settings

from channels_live import any_origin, ticket_for, ticket_login, websocket_application
from channels_live.testing import WAIT, has_entered, open_socket
from tests.library.helpers.browsing import socket_of
from tests.library.helpers.consumers import OrdersConsumer


def visit(path: str, **scope: Any) -> WebsocketCommunicator:
    socket = socket_of(path)
    cast(dict[str, Any], socket.scope).update(scope)
    return socket


async def is_found(path: str, **scope: Any) -> bool:
    socket = visit(path, **scope)
    is_accepted: bool = (await socket.connect(WAIT))[0]
    await socket.wait()  # raises what the application raised
    return is_accepted


async def test_a_route_gets_its_arguments() -> None:
    socket = visit("/ws/room/7/a%20b/")

    assert await socket.connect(WAIT) == (True, None)
    assert await socket.receive_from() == "{'number': 7, 'name': 'a b'}"
    await socket.wait()  # raises what the application raised


@pytest.mark.parametrize(
    "path", ["/", "/ws/", "/ws/plain", "/ws/room/seven/attic/", "//", "/wp-admin/ws/"]
)
async def test_an_unknown_path_is_refused_without_an_exception(path: str) -> None:
    socket = visit(path)

    assert await socket.connect(WAIT) == (False, 1000)
    await socket.wait()  # raises what the application raised


class Unkind(AsyncWebsocketConsumer):
    channel_layer_alias = ""

    async def connect(self) -> None:
        await self.close()


@pytest.mark.parametrize(
    ("path", "reason"),
    [("/ws/nowhere/", "unknown path"), ("/ws/unkind/", "by the consumer")],
)
async def test_a_test_is_told_why_its_socket_is_refused(
    path: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = re_path("^ws/unkind/$", cast(Any, Unkind.as_asgi()))
    application = websocket_application([route])
    monkeypatch.setattr(
        "channels_live.testing.get_default_application", lambda: application
    )

    with pytest.raises(AssertionError, match=f"^{path} was refused: {reason}"):
        async with open_socket(path):
            pass


@pytest.mark.parametrize("mount", ["/app", "/app/"])
async def test_the_mount_point_of_the_server_is_taken_off(mount: str) -> None:
    assert await is_found("/app/ws/plain/", root_path=mount)
    assert not await is_found("/app/ws/nowhere/", root_path=mount)


async def test_the_mount_point_of_the_settings_is_taken_off(
    settings: Settings,
) -> None:
    settings.FORCE_SCRIPT_NAME = "/app"

    assert await is_found("/app/ws/plain/")
    assert not await is_found("/apple/ws/plain/")


async def test_a_proxy_may_have_taken_the_mount_point_off(settings: Settings) -> None:
    settings.FORCE_SCRIPT_NAME = "/app"

    assert await is_found("/ws/plain/")


async def test_routes_may_be_included() -> None:
    assert await is_found("/ws/more/plain/")
    assert not await is_found("/ws/more/")


def test_a_router_among_the_routes_is_refused() -> None:
    nested: Any = URLRouter([])

    with pytest.raises(TypeError, match=r"Expected include\(\) in a route"):
        websocket_application([path("ws/", nested)])


async def test_what_is_said_of_a_body_means_nothing() -> None:
    socket = socket_of("/ws/plain/", content_type="x" * 100_000)

    assert await socket.connect(WAIT) == (True, None)
    await socket.wait()  # raises what the application raised


async def test_a_query_string_of_any_bytes_is_let_in() -> None:
    assert await is_found("/ws/plain/", query_string=b"\xff=\xfe")


async def test_an_open_socket_holds_no_request() -> None:
    def count() -> int:
        gc.collect()
        return sum(issubclass(type(one), HttpRequest) for one in gc.get_objects())

    before = count()
    socket = visit("/ws/shout/")
    assert (await socket.connect(WAIT))[0]
    await has_entered(socket)

    assert count() == before
    await socket.disconnect()


async def test_a_route_may_lead_to_an_application_of_its_own(
    transactional_db: None, ada: Any, settings: Settings
) -> None:
    orders: Any = OrdersConsumer.as_asgi()
    apps: Any = websocket_application(
        [path("ws/app/orders/", orders)],
        authenticate=ticket_login,
        origins=any_origin,
    )
    both: Any = websocket_application([re_path("^ws/app/", apps), path("ws/", orders)])
    host = [(b"host", b"testserver")]

    def open_(path: str, ticket: str, application: Any = both) -> WebsocketCommunicator:
        return WebsocketCommunicator(application, path, host, ["ticket", ticket])

    for prefix in ("", "/mount"):
        settings.FORCE_SCRIPT_NAME = prefix or None
        socket = open_(f"{prefix}/ws/app/orders/", ticket_for(ada))
        assert await socket.connect(WAIT) == (True, "ticket")
        assert await socket.receive_json_from(WAIT) == [{"you": "ada"}]
        await socket.disconnect()
        for away in ("/ws/", "/ws/app/", "/ws/app/nowhere/"):
            socket = open_(prefix + away, ticket_for(ada))
            assert not (await socket.connect(WAIT))[0]

    settings.FORCE_SCRIPT_NAME = None
    router: Any = URLRouter([re_path("^ws/app/", apps)])
    for away in ("orders/", "nowhere/"):
        socket = open_(f"/ws/app/{away}", ticket_for(ada), router)
        assert (await socket.connect(WAIT))[0] == (away == "orders/")
        await socket.disconnect()
