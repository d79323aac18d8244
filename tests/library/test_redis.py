from typing import Any

import pytest
from channels_redis import utils
from django.core.exceptions import ImproperlyConfigured
from redis.asyncio.sentinel import SentinelConnectionPool as AsyncSentinelPool
from redis.sentinel import SentinelConnectionPool

from apps.realtime.redis import Pool, layer_host, parse

URL = "redis+sentinel://:p%40ss@one:26380;two;three:26379/main/3"


def test_a_redis_is_left_to_those_who_connect_to_it() -> None:
    url = "redis://user:password@host:6380/2"

    assert parse(url) is None
    assert layer_host(url)["address"] == url
    used = Pool.from_url(url, socket_timeout=1).connection_kwargs
    assert (
        used.items()
        >= {
            "host": "host",
            "port": 6380,
            "db": 2,
            "username": "user",
            "password": "password",
            "socket_timeout": 1,
        }.items()
    )


@pytest.mark.parametrize(
    ("url", "sentinels", "name", "options"),
    [
        (
            URL,
            [("one", 26380), ("two", 26379), ("three", 26379)],
            "main",
            {"db": 3, "username": None, "password": "p@ss"},
        ),
        ("redis+sentinel://one:1/a", [("one", 1)], "a", {"db": 0}),
        (
            "redis+sentinel://me:word@one/a/",
            [("one", 26379)],
            "a",
            {"db": 0, "username": "me", "password": "word"},
        ),
    ],
)
def test_sentinels_are_read_from_a_url(
    url: str, sentinels: list[tuple[str, int]], name: str, options: dict[str, Any]
) -> None:
    assert parse(url) == (sentinels, name, options)


@pytest.mark.parametrize(
    "rest", ["", "one", "one/", "/main", "one;/main", "one:x/main", "one/main/x"]
)
def test_a_url_that_says_too_little_is_refused_without_its_password(rest: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"host:26379/name/0") as refused:
        parse(f"redis+sentinel://:secret@{rest}")

    assert "secret" not in str(refused.value)


def test_the_channel_layer_asks_the_sentinels() -> None:
    (host,) = utils.decode_hosts([layer_host(URL)])

    pool = utils.create_pool(host)

    assert isinstance(pool, AsyncSentinelPool)
    assert pool.service_name == "main"
    assert pool.connection_kwargs["password"] == "p@ss"
    asked = pool.sentinel_manager.sentinels[0].connection_pool.connection_kwargs
    assert (asked["host"], asked["port"]) == ("one", 26380)
    assert asked["socket_timeout"] < 1


def test_others_ask_the_sentinels_too() -> None:
    pool = Pool.from_url(URL, socket_timeout=1)

    assert isinstance(pool, SentinelConnectionPool)
    assert pool.connection_kwargs["db"] == 3
    assert pool.connection_kwargs["socket_timeout"] == 1
