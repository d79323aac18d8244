"""Streams that fail, and warnings about them: as in the log of any Django server."""

import time
from collections.abc import Iterator

import pytest
import requests
from baking import Kitchen, Project
from fleet import SERVERS, wait_until
from serving import Server, free_port, serve

STREAMS = """

import asyncio
from django.http import StreamingHttpResponse

async def stream(request, count):
    async def events():
        for number in range(count):
            yield f"data: {number}\\n\\n"
            await asyncio.sleep(0.1)
        raise ValueError("in the middle")
    return StreamingHttpResponse(events(), content_type="text/event-stream")

async def lines(request):
    return StreamingHttpResponse(iter(["one", "two"]))

urlpatterns += [path("stream/<int:count>/", stream), path("lines/", lines)]
"""


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    project = kitchen.bake({"include_chat_demo": False, "asgi_server": "uvicorn"})
    urls = project.path / "config" / "urls.py"
    urls.write_text(urls.read_text() + STREAMS)
    project.manage("migrate")
    return project


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, project: Project) -> Iterator[Server]:
    port = free_port()
    option = {"daphne": "-p", "uvicorn": "--port"}[request.param]
    command = [project.python, "-m", request.param, option, str(port)]
    with serve(
        [*command, "config.asgi:application"], cwd=project.path, port=port
    ) as server:
        yield server


def test_a_stream_that_fails_ends_and_is_logged_each_time(server: Server) -> None:
    for times in (1, 2):
        for count in (0, 1):  # what was sent before
            began = time.monotonic()
            with pytest.raises(requests.RequestException):
                requests.get(f"{server.url}/stream/{count}/", timeout=20)
            assert time.monotonic() - began < 10
        logged = 2 * times
        wait_until(
            lambda: server.log.count("ValueError: in the middle") >= logged,  # noqa: B023
            "each failure is logged",
        )
    assert requests.get(f"{server.url}/health/live", timeout=5).ok


def test_warnings_are_logged(server: Server) -> None:
    assert requests.get(f"{server.url}/lines/", timeout=5).text == "onetwo"
    wait_until(
        lambda: "must consume synchronous iterators" in server.log,
        "Django's warning is logged",
    )
