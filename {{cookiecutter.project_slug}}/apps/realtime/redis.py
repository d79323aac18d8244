"""What an address in REDIS_URL stands for: a Redis, or one that Sentinel looks after.

    redis://host:6379/0
    redis+sentinel://user:password@host:26379;host:26379/name/0

The name is that of the monitored Redis; user and password are Redis', not Sentinel's.
"""

from typing import Any, NamedTuple
from urllib.parse import unquote

from django.core.exceptions import ImproperlyConfigured
from redis import ConnectionPool
from redis.asyncio import Redis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool

SCHEME = "redis+sentinel://"
PORT = 26379
# So short that three sentinels are asked within the second that anyone waits for Redis.
SENTINEL_OPTIONS = {"socket_connect_timeout": 0.3, "socket_timeout": 0.3}
# The layer waits for messages as long as there are none; a connection that died without a
# word is noticed by a ping.
LAYER_OPTIONS = {"socket_timeout": None, "health_check_interval": 5}
# Somebody waits for what is counted, and others for the thread.
COUNTING_OPTIONS = {
    "socket_connect_timeout": 0.25,
    "socket_timeout": 0.25,
    "retry": Retry(NoBackoff(), 0),
}


class Watched(NamedTuple):
    """A Redis that Sentinel looks after."""

    sentinels: list[tuple[str, int]]
    name: str
    options: dict[str, Any]


def parse(url: str) -> Watched | None:
    """Return what a URL with sentinels says; None for any other.

    Raises ImproperlyConfigured.
    """
    if not url.startswith(SCHEME):
        return None
    login, _, rest = url.removeprefix(SCHEME).rpartition("@")
    addresses, _, path = rest.partition("/")
    name, _, database = path.partition("/")
    user, _, password = map(unquote, login.partition(":"))
    try:
        sentinels = [address(text) for text in addresses.split(";")]
        options: dict[str, Any] = {"db": int(database or 0)}
    except ValueError:
        sentinels = []
    if not sentinels or not name:
        raise ImproperlyConfigured(
            f"REDIS_URL: expected {SCHEME}host:{PORT};host:{PORT}/name/0, "
            f"not what ends in {rest!r}."
        )
    if password:
        options |= {"username": user or None, "password": password}
    return Watched(sentinels, name, options)


def address(text: str) -> tuple[str, int]:
    host, _, port = text.strip().partition(":")
    if not host:
        raise ValueError(text)
    return host, int(port or PORT)


def layer_host(url: str) -> dict[str, Any]:
    """Return an address as channels-redis takes it."""
    if not (watched := parse(url)):
        return {"address": url, **LAYER_OPTIONS}
    return {
        **LAYER_OPTIONS,
        "sentinels": watched.sentinels,
        "master_name": watched.name,
        "sentinel_kwargs": SENTINEL_OPTIONS,
        **watched.options,
    }


class Pool:
    """Makes connection pools, for Django's cache and others."""

    @staticmethod
    def from_url(url: str, **options: Any) -> Any:
        """Return a pool of connections to what the URL leads to at the time."""
        if not (watched := parse(url)):
            return ConnectionPool.from_url(url, **options)
        # redis-py has no types for these two.
        manager: Any = Sentinel
        pool: Any = SentinelConnectionPool
        sentinel = manager(watched.sentinels, sentinel_kwargs=SENTINEL_OPTIONS)
        return pool(watched.name, sentinel, **options, **watched.options)


def aconnect(url: str) -> Any:
    """Return an asynchronous client of what the URL leads to at the time."""
    # What died while nobody looked is connected anew, once and at once.
    options: dict[str, Any] = {
        "retry": AsyncRetry(NoBackoff(), 1),
        "socket_connect_timeout": 1,
        "socket_timeout": 1,
    }
    if not (watched := parse(url)):
        return Redis.from_url(url, **options)
    manager: Any = AsyncSentinel
    sentinel = manager(watched.sentinels, sentinel_kwargs=SENTINEL_OPTIONS)
    return sentinel.master_for(watched.name, **options, **watched.options)
