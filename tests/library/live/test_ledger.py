"""Rows of changes are read once, in whatever order they commit."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries

from channels_live.live.ledger import Cleaner, Ledger
from channels_live.models import Change
from tests.library.live.regions import Text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.begin()
    return ledger


def read(ledger: Ledger) -> list[str]:
    found = ledger.read(())
    assert found is not None
    return sorted(found)


@contextmanager
def open_transaction(key: int) -> Iterator[None]:
    """Write down a change over another connection, and commit when the block ends."""
    is_written, may_commit = threading.Event(), threading.Event()

    def work() -> None:
        try:
            with transaction.atomic():
                Text.changed(key)
                is_written.set()
                may_commit.wait(10)
        finally:
            connection.close()

    with ThreadPoolExecutor() as executor:
        done = executor.submit(work)
        assert is_written.wait(10)
        yield
        may_commit.set()
        done.result()


def test_each_row_is_read_once(ledger: Ledger) -> None:
    for key in range(3):
        Text.changed(key)
        assert read(ledger) == [f"tests.Text {key}"]
        assert read(ledger) == []


def test_rows_from_before_do_not_count() -> None:
    Text.changed(1)
    ledger = Ledger()
    ledger.begin()

    assert read(ledger) == []


def test_what_was_heard_is_left_out(ledger: Ledger) -> None:
    Text.changed(1)
    Text.changed(2)
    row = Change.objects.get(subject="tests.Text 1")

    assert ledger.read({("tests.Text 1", row.pk)}) == ["tests.Text 2"]
    assert read(ledger) == []


def test_is_one_query(
    ledger: Ledger, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for key in range(100):
        Text.changed(key)

    with django_assert_num_queries(1):
        assert len(read(ledger)) == 100


def test_what_is_not_committed_is_not_read(ledger: Ledger) -> None:
    with open_transaction(1):
        assert read(ledger) == []
    assert read(ledger) == ["tests.Text 1"]


def test_commits_in_another_order_than_ids(ledger: Ledger) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("one transaction writes at a time")
    with open_transaction(1):
        with open_transaction(2):
            Text.changed(3)
            assert read(ledger) == ["tests.Text 3"]
        assert read(ledger) == ["tests.Text 2"]
        Text.changed(4)
        assert read(ledger) == ["tests.Text 4"]
    assert read(ledger) == ["tests.Text 1"]
    assert read(ledger) == []


def test_a_transaction_that_was_open_before(ledger: Ledger) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("one transaction writes at a time")
    with open_transaction(1):
        later = Ledger()
        later.begin()
        Text.changed(2)
        assert read(later) == ["tests.Text 2"]
    assert read(later) == ["tests.Text 1"]


def test_old_rows_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaner = Cleaner()
    now = 1000.0
    monkeypatch.setattr("channels_live.live.ledger.monotonic", lambda: now)
    Text.changed(1)
    cleaner.clear()
    Text.changed(2)
    now += 500
    cleaner.clear()
    assert Change.objects.count() == 2

    now += 101
    cleaner.clear()
    assert [row.subject for row in Change.objects.all()] == ["tests.Text 2"]


def test_a_row_of_a_long_import_is_not_deleted_before_it_is_read(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("one transaction writes at a time")
    cleaner = Cleaner()
    now = 1000.0
    monkeypatch.setattr("channels_live.live.ledger.monotonic", lambda: now)
    with open_transaction(1):
        for _ in range(30):
            now += 100
            cleaner.clear()
            read(ledger)
    cleaner.clear()
    assert read(ledger) == ["tests.Text 1"]
