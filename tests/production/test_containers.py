"""Dockerfile and compose.yaml, read by linters and by people who look for holes."""

import re
from pathlib import Path
from typing import Any

import pytest
from baking import Kitchen, run
from containers import read_compose
from fleet import SERVERS

SCHEMA = ("check-jsonschema", "--builtin-schema", "vendor.compose-spec")


@pytest.fixture(scope="module", params=SERVERS)
def project(request: pytest.FixtureRequest, kitchen: Kitchen) -> Path:
    return kitchen.write({"asgi_server": request.param})


@pytest.fixture
def services(project: Path) -> dict[str, Any]:
    return read_compose(project, POSTGRES_PASSWORD="long-and-random")


def test_linters_have_nothing_to_say(project: Path) -> None:
    run("hadolint", "--failure-threshold", "style", "Dockerfile", cwd=project)
    run(*SCHEMA, "compose.yaml", cwd=project)


def test_no_image_is_whatever_is_latest(
    project: Path, services: dict[str, Any]
) -> None:
    dockerfile = (project / "Dockerfile").read_text()
    images = re.findall(r"FROM (\S+)|--from=(\S+[:/]\S+)", dockerfile)
    named = [a or b for a, b in images]
    named += [one["image"] for one in services.values() if "image" in one]
    assert len(named) == 6
    assert [name for name in named if not re.search(r":\d+(\.\d+)?(-|$)", name)] == []


def test_services_may_do_no_more_than_they_need(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert 0 < service["pids_limit"] < 1000, name
    # Errors of all are told to Sentry.
    for name in ("release", "worker"):
        assert services[name]["networks"] == services["web"]["networks"]
    assert "ports" not in services["postgres"] | services["valkey"]
    assert (
        services["postgres"]["networks"] == ["back"] == services["valkey"]["networks"]
    )


def test_the_web_can_be_scaled(services: dict[str, Any]) -> None:
    assert not {"ports", "container_name", "hostname"} & set(services["web"])
    assert not [one for one in services.values() if "container_name" in one]


def test_each_waits_for_what_it_needs(services: dict[str, Any]) -> None:
    waits = {
        name: {on: how["condition"] for on, how in service["depends_on"].items()}
        for name, service in services.items()
        if "depends_on" in service
    }
    assert waits == {
        "release": {"postgres": "service_healthy"},
        "web": {
            "release": "service_completed_successfully",
            "postgres": "service_healthy",
            "valkey": "service_healthy",
        },
        "worker": waits["web"],
        "caddy": {"web": "service_healthy"},
    }
    # That of web is in the Dockerfile.
    checked = {
        name for name, one in services.items() if "test" in one.get("healthcheck", {})
    }
    assert checked == {"caddy", "postgres", "valkey"}
    ends = {name for name, one in services.items() if one["restart"] == "no"}
    assert ends == {"release"}


def test_jobs_are_run_by_a_worker_that_ends_as_the_web_does(
    project: Path, services: dict[str, Any]
) -> None:
    worker, web = services["worker"], services["web"]
    assert web["environment"]["JOBS_IN_WEB"] == "false"
    for name in ("restart", "stop_grace_period", "environment", "env_file"):
        assert worker[name] == web[name], name
    (unit,) = (project / "deploy" / "systemd").glob("*-worker@.service")
    assert " ".join(worker["command"][1:]) in unit.read_text()


def test_there_is_no_password_that_anybody_knows(
    project: Path, services: dict[str, Any]
) -> None:
    with pytest.raises(KeyError, match="POSTGRES_PASSWORD is not set"):
        read_compose(project)
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"] == "long-and-random"
    assert ":long-and-random@" in services["web"]["environment"]["DATABASE_URL"]
    assert "SECRET_KEY" not in services["web"]["environment"]
