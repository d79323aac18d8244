"""Django's cache in Redis, which does without it while it is away."""

import json
import logging
import time
from collections.abc import Callable
from functools import partial
from itertools import batched
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.backoff import NoBackoff
from redis.exceptions import InvalidResponse, RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

# Somebody waits for what is counted, and others for the thread.
OPTIONS = {
    "socket_connect_timeout": 0.25,
    "socket_timeout": 0.25,
    "retry": Retry(NoBackoff(), 0),
}
# After a failure, Redis is left alone for as long, in seconds.
RETRY_AFTER = 1


class JSONSerializer:
    """Whoever can write into Redis could run code here, were it pickle."""

    def dumps(self, value: object) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except ValueError as error:
            raise InvalidResponse("What is in the cache is no JSON.") from error


class Cache(RedisCache):
    """Has what limits guessing: without Redis, each process counts for itself."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"serializer": JSONSerializer, **OPTIONS, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options})
        self._class = Client

    def clear(self) -> None:
        """Delete what this project caches. Django would empty Redis, for all projects."""
        by: Any = self._cache

        def clear_redis() -> None:
            redis = by.redis.get_client(write=True)
            for keys in batched(redis.scan_iter(self.make_key("*"), 1000), 1000):
                redis.delete(*keys)

        fallback.ask(clear_redis, by.memory.clear)


class Client:
    """What Django's client of Redis can do, by Redis or else by this process's memory."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        self.redis = RedisCacheClient(servers, **options)
        self.memory = LocMemCache("meanwhile", {"OPTIONS": {"MAX_ENTRIES": 10_000}})

    def __getattr__(self, name: str) -> Callable[..., object]:
        return partial(self.call, name)

    def call(self, name: str, *args: object) -> object:
        by_redis, by_memory = getattr(self.redis, name), getattr(self.memory, name)
        return fallback.ask(partial(by_redis, *args), partial(by_memory, *args))


class Fallback:
    """What Redis counts for all processes, or memory for this one."""

    failed_at: float | None = None

    def ask[T](self, redis: Callable[[], T], memory: Callable[[], T]) -> T:
        """Return what Redis answers or, while it is away, what memory does."""
        failed_at = self.failed_at
        if failed_at is not None and time.monotonic() - failed_at < RETRY_AFTER:
            return memory()
        try:
            answer = redis()
        except RedisError as error:
            was_away, self.failed_at = self.failed_at is not None, time.monotonic()
            if not was_away:
                logger.error(
                    "Redis does not answer (%s: %s). Each process counts for itself.",
                    type(error).__name__,
                    error,
                )
            return memory()
        if failed_at is not None and self.failed_at is not None:
            self.failed_at = None
            logger.info("Redis is back.")
        return answer


fallback = Fallback()
