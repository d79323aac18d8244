"""A table that is missing is a bug: told as one, and not as an outage."""

import asyncio
import logging
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from channels_live import Consumer, Fragment, apublish, in_thread
from channels_live.models import Presence, Process
from channels_live.observe.outage import database_outage
from channels_live.process import get_process
from channels_live.testing import WAIT
from tests.library.helpers.browsing import (
    browser_of,
    closing_code,
    connect,
    only,
    socket_of,
)
from tests.library.helpers.listening import ListHistory, listen
from tests.library.helpers.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

INTERVAL = 0.02


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels_live.process.BEAT_INTERVAL", INTERVAL)
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", INTERVAL)


@pytest.fixture
def no_presence(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.delete_model(Presence)
    yield
    with connection.schema_editor() as editor:
        editor.create_model(Presence)


class LostHistory(ListHistory):
    """Has lost its table, or loses it at some time."""

    is_lost = True

    @in_thread
    def look(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT number FROM lost_messages")

    async def last_numbers(self, groups: Collection[str]) -> dict[str, int]:
        if self.is_lost:
            await self.look()
        return await super().last_numbers(groups)

    async def load(self, group: str, after: int, limit: int) -> list[Fragment]:
        if self.is_lost:
            await self.look()
        return await super().load(group, after, limit)


lost = LostHistory()


class LostConsumer(Consumer):
    async def enter(self) -> None:
        await self.join("here", history=lost, after=0)


async def bugs(caplog: pytest.LogCaptureFixture, *, table: str) -> list[str]:
    """What is logged of a missing table, until long after the first of it."""

    def found() -> list[logging.LogRecord]:
        return [one for one in caplog.records if one.levelno >= logging.ERROR]

    await until(found)
    await asyncio.sleep(20 * INTERVAL)
    assert "cannot be used" not in caplog.text
    assert database_outage.failed == {}
    for record in found():
        assert record.exc_info
        assert isinstance(error := record.exc_info[1], DatabaseError)
        assert table in str(error)
    return sorted(record.getMessage() for record in found())


@pytest.mark.usefixtures("no_presence")
async def test_jobs_tell_of_it_once_and_not_each_time(
    ada: Any, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await connect("/ws/roster/", await browser_of(ada))

    assert await bugs(caplog, table="channels_live_presence") == [
        "The job beat fails; trying again.",
        "The job tell fails; trying again.",
    ]

    await socket.send_json_to({})
    assert await socket.receive_from(WAIT) == "You are ada."
    await socket.disconnect()


@pytest.mark.usefixtures("no_presence")
async def test_it_keeps_no_process_from_its_end(
    ada: Any, caplog: pytest.LogCaptureFixture
) -> None:
    process = get_process()
    await Process.objects.acreate(pk=process.id, seen=timezone.now())

    await process.end()

    (failure,) = await bugs(caplog, table="channels_live_presence")
    assert "cannot be used" not in failure


async def test_a_history_without_its_table_is_told_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = LostHistory()
    monkeypatch.setattr(history, "is_lost", False)
    listener = await listen(history=history, after=0)

    monkeypatch.setattr(history, "is_lost", True)

    assert await bugs(caplog, table="lost_messages") == [
        "The job repair fails; trying again."
    ]
    await apublish("here", "hello")
    await listener.hears("hello")


async def test_a_gap_in_a_history_without_its_table_is_told_of_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = LostHistory()
    monkeypatch.setattr(history, "is_lost", False)
    await listen(history=history, after=0)

    monkeypatch.setattr(history, "is_lost", True)
    for number in range(2, 5):
        await apublish("here", Fragment(f"<{number}>", number))
        await asyncio.sleep(0.05)

    assert await bugs(caplog, table="lost_messages") == [
        "The job repair fails; trying again."
    ]


async def test_who_cannot_be_let_in_for_it_is_closed_as_for_any_bug(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.process.REPAIR_INTERVAL", 60)  # it meets it too
    socket = socket_of("/", application=only(LostConsumer.as_asgi()))
    assert await socket.connect(WAIT) == (True, None)

    assert await closing_code(socket) == 1011
    assert await bugs(caplog, table="lost_messages") == ["A consumer has failed."]
