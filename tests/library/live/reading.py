"""What a ledger reads, while other transactions are open."""

import threading
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection, transaction

from channels_live.live.changes import Ledger, Notice
from tests.library.live.regions import Text


def read(ledger: Ledger, heard: Collection[Notice] = ()) -> list[str]:
    found = look(ledger, heard)
    assert found is not None
    return found


def look(ledger: Ledger, heard: Collection[Notice] = ()) -> list[str] | None:
    """Return None where rows may be missing."""
    found = ledger.read(heard)
    return found and sorted(found)


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
