import time
import tracemalloc

import pytest

from channels_live.base.budget import Budget


def test_a_budget_holds_for_its_window_at_once() -> None:
    budget = Budget(window=5)

    assert [budget.excess("ada", 2) for _ in range(13)] == list(range(-9, 4))


def test_everybody_has_one_of_their_own() -> None:
    budget = Budget(window=1)

    assert [budget.excess(who, 1) for who in ("ada", "bob", "ada")] == [0, 0, 1]


def test_it_is_renewed_however_often_it_was_exceeded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    budget = Budget(window=10)
    for _ in range(20):
        budget.excess("ada", 2)

    assert all(budget.excess("ada", 2) > 0 for _ in range(100))
    now = 10.1
    assert budget.excess("ada", 2) < 0


def test_long_keys_fill_no_memory() -> None:
    budget = Budget(window=10)
    tracemalloc.start()
    try:
        for number in range(200):
            assert budget.excess(("session", f"{number}" + "x" * 10_000), 2) < 0
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 100_000
