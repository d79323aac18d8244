"""The example for nginx, before two processes that share a socket as the units do."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from baking import Kitchen, Variables, run
from fleet import PRODUCTION, terminate
from fronts import (
    PATIENCE,
    Guest,
    assert_in_order,
    assert_redirects,
    half_a_form,
    posting,
    tell_who_asks,
)
from programs import find_program
from serving import Server, free_port, serve
from units import Unit

LETTER = "Dear Ada, " * 1000
PING = 25  # seconds: how often a page pings
# All of nginx that is not in the example, with nothing of the machine's own.
AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    include /etc/nginx/mime.types;
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@pytest.fixture(scope="module")
def unit(server_name: str, kitchen: Kitchen) -> Unit:
    project = kitchen.bake(
        {
            "asgi_server": server_name,
            "chat_client": "javascript",
            "domain_name": "localhost",
        }
    )
    tell_who_asks(project.path)
    return Unit(project)


@pytest.fixture
def services(postgres: Variables, redis_url: str) -> Variables:
    return {**postgres, "REDIS_URL": redis_url}


@pytest.fixture
def rounds(is_deep: bool) -> int:
    return 50 if is_deep else 1


@contextmanager
def nginx(unit: Unit, folder: Path, web: int) -> Iterator[tuple[Guest, int]]:
    """nginx with a certificate of its own; a guest, and the port of http://."""
    http, https = free_port(), free_port()
    request = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-nodes", "-keyout", "privkey.pem", "-out", "fullchain.pem")
    run("openssl", *request, *names, *files, cwd=folder)
    text = (unit.project.path / "deploy" / "nginx.conf").read_text()
    text = text.replace(":8000", f":{web}")
    text = re.sub(r"(listen (\[::\]:)?)80;", rf"\g<1>{http};", text)
    text = re.sub(r"(listen (\[::\]:)?)443 ", rf"\g<1>{https} ", text)
    text = text.replace("/etc/letsencrypt/live/localhost", str(folder))
    text = text.replace("/var/log/nginx", str(folder))
    text = text.replace(f"/srv/{unit.socket_path.stem}", str(unit.project.path))
    (folder / "site.conf").write_text(text)
    # Its workers read the static files of the test, which are for their owner alone.
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(AROUND.format(folder=folder, user=user))
    command = [find_program("nginx"), "-c", str(config), "-p", str(folder)]
    with serve(command, cwd=folder, port=https) as server:
        front = Server(f"https://localhost:{https}", server.logfile)
        yield Guest(front, folder / "fullchain.pem"), http
        errors = re.findall(r"\[error\].*", server.log)
        assert [line for line in errors if "too large body" not in line] == []
        # Links to new passwords are nobody's to read.
        assert (folder / "access.log").read_text() == ""


@pytest.mark.timeout(900)
def test_two_processes_restart_one_after_the_other(
    unit: Unit,
    rounds: int,
    services: Variables,
    tmp_path: Path,
    note: Callable[[str], None],
) -> None:
    env = {**PRODUCTION, **services, **unit.environment}
    for name in ("ALLOWED_HOSTS", "USE_HTTPS_IN_ABSOLUTE_URLS"):
        del env[name]
    unit.project.manage("release", env=env)
    with (
        unit.listen() as listener,
        ExitStack() as stack,
    ):
        port = listener.getsockname()[1]

        def start() -> tuple[Server, ExitStack]:
            running = stack.enter_context(ExitStack())
            server = running.enter_context(
                serve(
                    unit.command_with(listener),
                    cwd=unit.project.path,
                    port=port,
                    env=env,
                    listener=listener,
                )
            )
            return server, running

        processes = [start(), start()]
        guest, http = stack.enter_context(nginx(unit, tmp_path, port))
        assert_in_order(guest)
        assert_redirects(http)
        old = {guest.who()["pid"] for _ in range(20)}
        with posting(guest, message=LETTER) as answers:
            for _ in range(rounds):
                for number, (server, running) in enumerate(processes):
                    terminate(server)
                    running.close()
                    processes[number] = start()
        assert answers
        assert set(answers) == {200}
        assert old.isdisjoint({guest.who()["pid"] for _ in range(5)})
    note(
        f"two processes of {Path(unit.command[0]).name} behind nginx, each restarted "
        f"{rounds} times in turn: {len(answers)} forms, all answered with 200"
    )


def test_while_nobody_answers_no_address_is_logged(unit: Unit, tmp_path: Path) -> None:
    with nginx(unit, tmp_path, free_port()) as (guest, _):
        answer = guest.ask("/accounts/password/reset/key/3-secret/?secret")
        assert answer.status_code == 502
        guest.ask("/static/secret.js")
        log = guest.server.log
    logs = [path.read_text() for path in tmp_path.glob("*.log")]
    assert "secret" not in log + "".join(logs)
    assert sum(" 502 GET 127.0.0.1:" in one for one in logs) == 1


@pytest.mark.deep
def test_half_a_form_holds_none_of_our_connections(unit: Unit, tmp_path: Path) -> None:
    with nginx(unit, tmp_path, free_port()) as (guest, _):
        assert half_a_form(guest, drips=False) < PATIENCE
        # Whoever is asked while it drips is not there: nobody is.
        assert half_a_form(guest, limit=20) >= 20


def test_idle_sockets_are_not_cut(unit: Unit) -> None:
    text = (unit.project.path / "deploy" / "nginx.conf").read_text()
    minutes = re.findall(r"proxy_(?:read|send)_timeout (\d+)m;", text)
    assert len(minutes) == 2
    assert all(int(number) * 60 > 3 * PING for number in minutes)
    scripts = unit.project.path.glob("channels_live/static/**/*.js")
    assert any(f"IDLE = {PING}000;" in path.read_text() for path in scripts)
