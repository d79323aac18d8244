"""The cache without Redis; tests that kill one are the template's."""

import logging
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from apps.ops.cache import Cache, outage


@pytest.fixture
def cache() -> Iterator[Cache]:
    outage.end()
    yield Cache("redis://127.0.0.1:1/0", {"KEY_PREFIX": "p"})
    outage.end()


def test_without_redis_this_process_remembers(
    cache: Cache, caplog: pytest.LogCaptureFixture
) -> None:
    assert cache.add("lock", True, 10)
    assert not cache.add("lock", True, 10)
    cache.set_many({"a": [1, 2], "b": 3}, 10)
    assert cache.get_many(["a", "b", "c"]) == {"a": [1, 2], "b": 3}
    assert cache.incr("b") == 4
    assert cache.touch("b", None)
    assert cache.has_key("b")
    assert cache.delete("lock")
    assert cache.get("lock", "gone") == "gone"
    cache.set("short", 1, 0)
    assert cache.get("short") is None
    cache.delete_many(["a"])
    cache.clear()
    assert cache.get("b") is None

    errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(errors) == 1
    said = "The cache cannot be used (REDIS_URL: ConnectionError: Error 111 connecting"
    assert errors[0].getMessage().startswith(said)


class Evil:
    def __reduce__(self) -> tuple[type[BaseException], tuple[str]]:
        return SystemExit, ("run",)


@pytest.fixture
def kept(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the cache keeps in Redis."""
    kept: dict[str, bytes] = {}

    class Redis:
        """Keeps what it is given, as Redis does: as bytes."""

        get, exists = kept.get, kept.__contains__

        def set(self, key: str, value: str, **options: Any) -> None:
            kept[key] = value.encode()

    client: Any = cache._cache
    monkeypatch.setattr(client.redis, "get_client", lambda *args, **kwargs: Redis())
    return kept


def test_what_is_in_redis_is_data_and_no_code(
    cache: Cache, kept: dict[str, bytes]
) -> None:
    cache.set("good", [1.5, True, "é"], None)
    kept[cache.make_key("evil")] = pickle.dumps(Evil())

    assert cache.get("good") == [1.5, True, "é"]
    assert cache.get("evil", "nothing") == "nothing"


def test_a_key_that_is_missing_is_no_outage(
    cache: Cache, kept: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="not found"):
        cache.incr("visits")
    cache.set("visits", 1)

    assert [*kept.values()] == [b"1"]
    assert caplog.text == ""
