"""Rows of changes are read once, in whatever order transactions commit."""

import pytest

from channels_live.live.changes import Ledger, clear
from tests.library.live.reading import look, open_transaction, read
from tests.library.live.regions import Text

pytestmark = pytest.mark.django_db(transaction=True)


def test_commits_in_another_order_than_ids(ledger: Ledger) -> None:
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
    with open_transaction(1):
        later = Ledger("default")
        Text.changed(2)
        assert read(later) == ["tests.Text 2"]
    assert read(later) == ["tests.Text 1"]


def test_a_row_of_a_long_import_is_not_deleted_before_it_is_read(
    ledger: Ledger,
) -> None:
    known: list[Ledger] = []
    with open_transaction(1):
        for _ in range(3):
            known = clear(known)
            Text.changed(2)
            read(ledger)
    clear(known)
    assert read(ledger) == ["tests.Text 1"]


def test_a_server_that_takes_over_with_older_transactions(ledger: Ledger) -> None:
    Text.changed(1)
    read(ledger)
    ledger._position += 1000  # as if the one before had been further

    Text.changed(2)
    assert look(ledger) is None
    ledger = Ledger("default")
    Text.changed(3)
    assert read(ledger) == ["tests.Text 3"]
