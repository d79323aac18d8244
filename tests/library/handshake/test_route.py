from typing import Any, cast

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import path
from pytest_django import Settings

from channels_live import websocket_application
from channels_live.testing import WAIT
from tests.library.helpers.browsing import socket_of


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
