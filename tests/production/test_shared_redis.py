"""Channels' own workers on Redis, and projects that share one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from baking import Kitchen, Project, Variables, environment
from fleet import wait_until
from readmes import code, section

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
    project: Project, *command: str, env: Variables
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [project.python, "manage.py", *command],
        cwd=project.path,
        env=environment(env),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_two_workers_do_each_job_once(
    kitchen: Kitchen, redis_url: str, tmp_path: Path
) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    text = section(project.path / "docs" / "realtime.md", "Workers")
    imports, application, send = code(text, "python")
    asgi = project.path / "config" / "asgi.py"
    before, rest = asgi.read_text().split("application = ProxyMiddleware(\n", 1)
    _, after = rest.split("\n)\n", 1)
    before = before.replace("from apps.ops.jobs", f"{imports}from apps.ops.jobs")
    asgi.write_text(before + application + after)
    app = project.path / "apps" / "photos"
    app.mkdir()
    (app / "workers.py").write_text(WORKERS)
    done = tmp_path / "done"
    env = {"DONE": str(done), "REDIS_URL": redis_url}
    project.manage("shell", "-c", SEND_JOBS.format(send=send.strip()), env=env)
    (command,) = code(text, "sh")
    runworker = command.split("manage.py ")[1].split()

    def all_done() -> bool:
        return done.exists() and len(done.read_text().split()) >= 50

    with (
        running(project, *runworker, env=env),
        running(project, *runworker, env=env),
    ):
        wait_until(all_done, "all jobs")

    assert sorted(map(int, done.read_text().split())) == list(range(50))


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
