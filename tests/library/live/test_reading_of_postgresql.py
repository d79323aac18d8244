"""A statement that takes too long is an error of its own region and key."""

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
LIMITS = {
    "statement_timeout": "SELECT pg_sleep(5)",
    "lock_timeout": "LOCK TABLE channels_live_change",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_others_are_read_beside_it(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    def get_contexts(self: Text, keys: Sequence[int]) -> dict[int, dict[str, Any]]:
        if SLOW in keys:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL {limit} = 50")
                cursor.execute(LIMITS[limit])
        return {key: {"text": key} for key in keys}

    monkeypatch.setattr(Text, "get_contexts", get_contexts)
    with open_transaction(1):
        found, _ = answer(Text, Place.of_page(Text, 1).setting, range(10), [])

    states = {**found}
    failed = states.pop(SLOW)
    assert isinstance(failed, Exception)
    assert limit.partition("_")[0] in str(failed)
    assert all(isinstance(state, State) for state in states.values())
