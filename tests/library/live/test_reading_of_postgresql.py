"""What is wrong with a statement is an error of its own region and key."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection, transaction

from channels_live.live.place import Place
from channels_live.live.rendering import State, answer
from tests.library.live.reading import open_transaction
from tests.library.live.regions import Text

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = 7
ERRORS = {
    "statement timeout": "SET LOCAL statement_timeout = 50; SELECT pg_sleep(5)",
    "lock timeout": "SET LOCAL lock_timeout = 50; LOCK TABLE channels_live_change",
    "length too large": "SELECT length(repeat('a', 2000000000))",
}


@pytest.mark.parametrize("error", ERRORS)
def test_others_are_read_beside_it(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    def get_contexts(self: Text, keys: Sequence[int]) -> dict[int, dict[str, Any]]:
        if SLOW in keys:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(ERRORS[error])
        return {key: {"text": key} for key in keys}

    monkeypatch.setattr(Text, "get_contexts", get_contexts)
    with open_transaction(1):
        found, _ = answer(Text, Place.of_page(Text, 1).setting, range(10), {})

    states = {**found}
    failed = states.pop(SLOW)
    assert isinstance(failed, Exception)
    assert error in str(failed)
    assert all(isinstance(state, State) for state in states.values())
