"""Django's cache in Redis, which does without it while it is away."""

import json
from collections.abc import Callable
from functools import partial
from itertools import batched
from typing import Any

from django.conf import settings
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

from channels_live import Outage

# Somebody waits for what is counted, and others for the thread.
OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 0.25,
    "socket_timeout": 0.25,
    "retry": None,
}
# What is no JSON is as good as no answer.
ERRORS = (RedisError, OSError, json.JSONDecodeError, UnicodeDecodeError)
outage = Outage("cache", ERRORS, "Each process uses a cache of its own meanwhile.")


class Cache(RedisCache):
    """Has what limits guessing: without Redis, each process counts for itself."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client


class Client:
    """What Django's client of Redis can do, by Redis or else by this process's memory."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        # Whoever can write into Redis could run code here, were it Django's pickle.
        serializer: Any = json
        self.redis = RedisClient(servers, serializer, **OPTIONS, **options)
        self.memory = LocMemCache("meanwhile", {"OPTIONS": {"MAX_ENTRIES": 10_000}})

    def __getattr__(self, name: str) -> Callable[..., object]:
        by_redis, by_memory = getattr(self.redis, name), getattr(self.memory, name)
        return lambda *args: ask(partial(by_redis, *args), partial(by_memory, *args))


class RedisClient(RedisCacheClient):
    def clear(self) -> bool:
        """Delete what this project caches. Django would empty Redis, for all projects."""
        redis = self.get_client(write=True)
        prefix = settings.CACHES["default"]["KEY_PREFIX"]
        for keys in batched(redis.scan_iter(f"{prefix}:*", 1000), 1000):
            redis.delete(*keys)
        return True


def ask[T](redis: Callable[[], T], memory: Callable[[], T]) -> T:
    """Return what Redis answers for all processes or, while it is away, what memory does."""
    if not outage.is_fresh():
        with outage.noticed():
            answer = redis()
            outage.end()
            return answer
    return memory()
