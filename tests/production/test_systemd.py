"""The units: what systemd says of them, and a process that it hands its socket."""

import json
import re
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from subprocess import Popen

import pytest
import requests
from baking import Kitchen, Variables, environment, run
from fleet import PRODUCTION, wait_until
from programs import find_program
from serving import START, free_port, serve
from units import Unit


@pytest.fixture(scope="module")
def unit(server_name: str, kitchen: Kitchen) -> Unit:
    answers = {"asgi_server": server_name, "chat_client": "javascript"}
    return Unit(kitchen.bake(answers))


def test_systemd_has_nothing_to_say(unit: Unit, tmp_path: Path) -> None:
    analyze = find_program("systemd-analyze")
    for path in unit.paths:
        (tmp_path / path.name).write_text(unit.here(path))
    units = [str(path) for path in tmp_path.iterdir()]
    done = run(analyze, "verify", "--recursive-errors=no", *units, cwd=tmp_path)
    assert done.stdout + done.stderr == ""
    secure = ("security", "--offline=true", "--threshold=15")
    for service in tmp_path.glob("*.service"):
        run(analyze, *secure, str(service), cwd=tmp_path)


def test_sessions_that_are_over_are_cleared_away(unit: Unit, sqlite: Variables) -> None:
    (timer,) = (path for path in unit.paths if path.suffix == ".timer")
    service = unit.here(timer.with_suffix(".service"))
    commands = re.findall(r"ExecStart=(.*)", service)
    (variables,) = re.findall(r"Environment=(.*)", service)
    env = {**PRODUCTION, **sqlite, **dict([variables.split("=")])}
    unit.project.manage("migrate", env=env)
    begin = "from django.contrib.sessions.backends.db import SessionStore as S;"
    end = "print(S.get_model_class().objects.count())"
    over = f"{begin} s = S(); s.set_expiry(-1); s.save(); {end}"
    said = unit.project.manage("shell", "--no-imports", "-c", over, env=env)
    assert said == "1\n"
    for command in commands:
        run(*command.split(), cwd=unit.project.path, env=env)
    said = unit.project.manage("shell", "--no-imports", "-c", begin + end, env=env)
    assert said == "0\n"


def test_a_worker_starts_and_ends_as_the_web_processes_do(
    unit: Unit, sqlite: Variables
) -> None:
    for name in ("Restart", "RestartSec", "TimeoutStopSec"):
        assert unit.values(name, unit.worker_path) == unit.values(name), name
    (variables,) = unit.values("Environment", unit.worker_path)
    env = {**PRODUCTION, **sqlite, **dict(v.split("=") for v in variables.split())}
    unit.project.manage("migrate", env=env)
    (command,) = unit.values("ExecStart", unit.worker_path)
    folder, log = unit.project.path, unit.project.path / "worker.log"
    with (
        log.open("w") as output,
        Popen(
            command.split(), cwd=folder, env=environment(env), stderr=output
        ) as worker,
    ):
        wait_until(lambda: "starting" in log.read_text(), "the worker has started")
        worker.terminate()
        assert worker.wait(10) == 0
    said = re.findall(r"^.*django_ox.*$", log.read_text(), re.M)
    assert [json.loads(line)["level"] for line in said]  # each once, for machines
    assert len(said) == len(set(said))
    assert unit.environment["JOBS_IN_WEB"] == "false"


def test_the_first_visitor_wakes_the_process(unit: Unit, sqlite: Variables) -> None:
    activate = find_program("systemd-socket-activate")
    env = {**PRODUCTION, **sqlite, **unit.environment}
    (address,) = re.findall(r"ListenStream=(\S+)", unit.socket_path.read_text())
    port = free_port()
    listen = f"--listen={address.replace('8000', str(port))}"
    # It hands nothing on that it is not told to.
    named = [f"--setenv={name}={value}" for name, value in env.items()]
    command = [activate, listen, *named, *unit.command]
    project = unit.project
    with serve(command, cwd=project.path, port=port, env=env) as server:
        url = f"{server.url}/health/live"
        assert requests.get(url, timeout=60).ok


def test_no_answer_waits_for_an_acknowledgement(
    unit: Unit, sqlite: Variables, note: Callable[[str], None]
) -> None:
    env = {**PRODUCTION, **sqlite, **unit.environment}
    with unit.listen() as listener:
        port = listener.getsockname()[1]
        command = unit.command_with(listener)
        with (
            serve(
                command, cwd=unit.project.path, port=port, env=env, listener=listener
            ) as server,
            requests.Session() as session,
        ):
            url = f"{server.url}/health/live"
            times = []
            for _ in range(21):
                start = time.perf_counter()
                assert session.get(url, timeout=START).ok
                times.append(time.perf_counter() - start)
    # Without NoDelay=, all but the first take 43 ms or more; on a busy machine, some.
    took = min(times[1:])
    note(f"the quickest of {len(times)} answers: {took * 1000:.1f} ms")
    assert took < 0.03


def test_every_process_has_an_address_for_its_metrics(unit: Unit) -> None:
    instances = (1, 2, 10, 254)
    (line,) = unit.values("#Environment")
    found = {line.replace("%i", str(one)).split("=")[1] for one in instances}
    assert len(found) == len(instances)
    for address in found:
        host, port = address.split(":")
        assert ip_address(host).is_loopback
        assert int(port) < 2**16
