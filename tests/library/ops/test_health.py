import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from channels.testing import HttpCommunicator
from django.core.asgi import get_asgi_application
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from apps.ops.probes import TIMEOUT


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def report(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def site() -> Any:
    """The site, in which no check is under way."""
    return get_asgi_application()


async def get(
    site: Any, path: str, *, root_path: str = "", method: str = "GET"
) -> Answer:
    """Ask as a probe does: without a Host that the site answers to."""
    headers = [(b"host", b"10.1.2.3:8000")]
    probe = HttpCommunicator(site, method, path, headers=headers)
    probe.scope["root_path"] = root_path
    answer = await probe.get_response(TIMEOUT + 1)
    lower = {name.lower(): value for name, value in answer["headers"]}
    return Answer(answer["status"], lower, answer["body"])


async def test_live_needs_nothing(site: Any) -> None:
    answer = await get(site, "/health/live")  # no database is there

    assert (answer.status, answer.report) == (200, {"status": "pass"})
    assert answer.headers[b"cache-control"] == b"no-store"
    assert answer.headers[b"content-type"] == b"application/json"


@pytest.mark.django_db(transaction=True)
async def test_ready_names_what_it_has_tried(site: Any) -> None:
    answer = await get(site, "/health/ready")

    names = ["database", "migrations", "channel_layer"]
    assert answer.report == {"status": "pass", "checks": dict.fromkeys(names, "pass")}
    assert answer.status == 200


async def test_without_a_database_it_is_alive_and_not_ready(
    site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "apps.ops.probes"):
        answers = [await get(site, "/health/ready") for _ in range(3)]

    assert {answer.status for answer in answers} == {503}
    report = answers[0].report
    assert report["status"] == report["checks"]["database"] == "fail"
    assert report["checks"]["channel_layer"] == "pass"
    assert set(report["checks"].values()) <= {"pass", "fail"}
    # Why it failed is logged, and once.
    said = "Not ready: database (DATABASE_URL: RuntimeError('Database access"
    assert caplog.text.count(said) == 1
    assert len(caplog.records) == list(report["checks"].values()).count("fail")
    assert (await get(site, "/health/live")).status == 200


@pytest.fixture
def pending_migration(transactional_db: None) -> Iterator[None]:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("web", "0001_site")
    yield
    recorder.record_applied("web", "0001_site")


async def test_a_pending_migration_is_waited_for(
    site: Any, pending_migration: None
) -> None:
    answer = await get(site, "/health/ready")

    assert answer.status == 503
    assert answer.report["checks"]["database"] == "pass"
    assert answer.report["checks"]["migrations"] == "fail"


@pytest.mark.django_db(transaction=True)
async def test_a_channel_layer_that_hangs_holds_up_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hanging = []

    async def hang() -> None:
        hanging.append(1)
        await asyncio.Event().wait()

    monkeypatch.setattr("apps.ops.probes.check_channel_layer", hang)
    site = get_asgi_application()

    asked = [get(site, "/health/ready") for _ in range(3)]
    async with asyncio.timeout(TIMEOUT + 1):
        answers = await asyncio.gather(*asked)

    assert [answer.status for answer in answers] == [503] * 3
    assert len(hanging) == 1  # those that come together share one look
    assert answers[0].report["checks"]["channel_layer"] == "fail"
    assert answers[0].report["checks"]["database"] == "pass"


async def test_a_process_that_ends_is_not_ready(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.ops.probes.is_ending", lambda: True)

    answer = await get(site, "/health/ready")

    assert answer.status == 503
    assert answer.report == {"status": "fail", "checks": {"process": "fail"}}


async def test_the_mount_point_of_the_server_is_taken_off(
    site: Any,
) -> None:
    assert (await get(site, "/app/health/live", root_path="/app")).status == 200
    assert (await get(site, "/health/live", root_path="/app")).status == 200


@pytest.mark.parametrize("path", ["/health", "/health/live/x", "/x/health/live"])
async def test_other_paths_are_the_sites(site: Any, path: str) -> None:
    assert (await get(site, path)).status in {400, 404}


async def test_a_probe_only_asks(site: Any) -> None:
    assert (await get(site, "/health/live", method="POST")).status in {400, 404}
