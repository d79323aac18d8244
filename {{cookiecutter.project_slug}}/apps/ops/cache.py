"""A cache in Redis, which uses this process's memory while Redis is away."""

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

# Short, because a request waits.
OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 0.25,
    "socket_timeout": 0.25,
    "retry": None,
}
# Invalid JSON is treated as no answer.
ERRORS = (RedisError, OSError, json.JSONDecodeError, UnicodeDecodeError)
outage = Outage(
    "cache",
    ERRORS,
    "Each process uses a cache of its own meanwhile.",
    "REDIS_URL: ",
)


class Cache(RedisCache):
    """Counts login attempts: for all processes, or without Redis for each."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client


class Client:
    """Does what Django's Redis client does, with Redis or this process's memory."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        # With Django's pickle, whoever can write to Redis could run code here.
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
    """Return the answer of Redis or, while it is away, of this process's memory."""
    if not outage.is_fresh():
        with outage.noticed():
            answer = redis()
            outage.end()
            return answer
    return memory()
