"""No more files may be open: pages are served, or told to wait, and sockets go on."""

import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from baking import Variables
from chatting import Page
from fleet import UNLIMITED, Fleet, at, wait_until
from serving import Server, Visitor

PATHS = 2 * ("/", "/chat/", "/chat/lobby/", "/accounts/login/", "/admin/", "/nowhere/")
THREADS = 4  # as many ask at once
STANDARD = 3  # files that every process has open


def test_nobody_meets_a_traceback(
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    redis_url: str,
    server_name: str,
) -> None:
    with ExitStack() as stack:
        fleet = launch({**postgres, **UNLIMITED, "REDIS_URL": redis_url})
        server = fleet.start(server_name)
        ada, bob = fleet.invite(server, "ada", "bob")
        page = stack.enter_context(Page(bob))
        visitors = [at(server, ada) for _ in PATHS]
        for visitor in visitors:
            assert visitor.get("/health/live").ok  # in a connection that is kept
        with no_more_files(server), ThreadPoolExecutor(THREADS) as threads:
            page.say("Hello")
            codes = set(threads.map(ask, visitors, PATHS))
        assert codes <= {200, 403, 404, 503}
        assert 503 in codes
        assert server.log.count("Requests are answered with 503") == 1
        wait_until(lambda: not page.pending, "what was said is stored")
        assert ada.get("/chat/").ok
        fleet.assert_quiet()


def ask(visitor: Visitor, path: str) -> int:
    return visitor.get(path).status_code


@contextmanager
def no_more_files(server: Server) -> Iterator[None]:
    limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (STANDARD, limits[1]))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
