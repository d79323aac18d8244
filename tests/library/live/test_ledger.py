"""Rows of changes are read once."""

from time import monotonic

import pytest
from django.core.management.color import no_style
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from channels_live.live.changes import KEEP, Ledger, clear
from channels_live.models import Change
from tests.library.live.reading import look, open_transaction, read
from tests.library.live.regions import Text

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_row_is_read_once(ledger: Ledger) -> None:
    for key in range(3):
        Text.changed(key)
        assert read(ledger) == [f"tests.Text {key}"]
        assert read(ledger) == []


def test_rows_from_before_do_not_count() -> None:
    Text.changed(1)
    ledger = Ledger("default")

    assert read(ledger) == []


def test_what_was_heard_is_left_out(ledger: Ledger) -> None:
    Text.changed(1)
    Text.changed(2)
    row = Change.objects.get(subject="tests.Text 1")

    assert read(ledger, {("tests.Text 1", row.pk)}) == ["tests.Text 2"]
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


def test_old_rows_are_deleted_but_for_the_newest() -> None:
    Text.changed(1)
    known = clear([])
    Text.changed(2)
    known = clear(known)
    assert Change.objects.count() == 2

    clear(known)
    assert [row.subject for row in Change.objects.all()] == ["tests.Text 2"]


def flush() -> None:
    """Empty the table, whose ids begin anew."""
    tables = [Change._meta.db_table]
    statements = connection.ops.sql_flush(no_style(), tables, reset_sequences=True)
    connection.ops.execute_sql_flush(statements)


@pytest.mark.parametrize("before", [0, 5])
def test_a_database_that_was_emptied_makes_all_stale_and_is_read_on(
    ledger: Ledger, before: int
) -> None:
    for _ in range(before):
        Text.changed(1)
    look(ledger)
    flush()
    Text.changed(1)

    assert look(ledger) == (None if before else ["tests.Text 1"])
    ledger = Ledger("default")
    Text.changed(2)
    assert read(ledger) == ["tests.Text 2"]
    assert read(ledger) == []


def test_a_database_that_was_restored_makes_all_stale(ledger: Ledger) -> None:
    Text.changed(1)
    Text.changed(2)
    read(ledger)
    Change.objects.order_by("pk")[1].delete()  # it is not in the backup

    assert look(ledger) is None
    ledger = Ledger("default")
    Text.changed(3)
    assert read(ledger) == ["tests.Text 3"]


def test_what_is_not_seen_for_long_makes_all_stale(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = monotonic() + KEEP
    monkeypatch.setattr("channels_live.live.changes.monotonic", lambda: now)
    assert look(ledger) is None
