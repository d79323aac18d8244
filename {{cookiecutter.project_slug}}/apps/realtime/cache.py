"""Django's cache in Redis, which does without it while it is away."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from apps.realtime.fallback import ask


class Cache(RedisCache):
    """Has what limits guessing: without Redis, each process counts for itself."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = Client


class Client:
    """What Django's client of Redis can do, by Redis or else by this process's memory."""

    def __init__(self, servers: list[str], **options: Any) -> None:
        self.redis = RedisCacheClient(servers, **options)
        self.memory = LocMemCache("meanwhile", {"OPTIONS": {"MAX_ENTRIES": 10_000}})

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self.call, name)

    def call(self, name: str, *args: Any) -> Any:
        by_redis, by_memory = getattr(self.redis, name), getattr(self.memory, name)
        return ask(partial(by_redis, *args), partial(by_memory, *args))
