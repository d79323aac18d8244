"""How much one user may send and create, on all processes together."""

import time
from collections.abc import Iterable
from functools import cache, partial
from typing import Any

import limits
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import ConnectionPool

from apps.ops.cache import OPTIONS, ask

# Counted by each process on its own: nothing is stored.
TYPING_LIMIT = "10 per 5 seconds"

type Counted = tuple[limits.RateLimitItem, str, str]  # and an event and a user

parse = cache(limits.parse)
memory = MovingWindowRateLimiter(MemoryStorage())


class Flood(ValidationError):
    """Raised when a user sends or creates too much at once."""


def check_messages(user_pk: object) -> None:
    """Count a message. Raise Flood beyond settings.CHAT_FLOOD_LIMIT."""
    (flood,) = find_floods(user_pk)
    if flood:
        raise flood


def find_floods(*user_pks: object) -> list[Flood | None]:
    """Count a message of each user. Return a Flood for each beyond the limit."""
    flood = Flood(_("Slow down: you are sending too much at once."))
    hits = hit(settings.CHAT_FLOOD_LIMIT, "chat", *user_pks)
    return [None if is_within else flood for is_within in hits]


def check_rooms(user_pk: object) -> None:
    """Count a new room. Raise Flood beyond settings.CHAT_ROOM_LIMIT."""
    if not all(hit(settings.CHAT_ROOM_LIMIT, "rooms", user_pk)):
        raise Flood(_("You have made many rooms lately. Try again later."))


def may_show_typing(user_pk: object) -> bool:
    """Count a "typing" event. Return whether to show it to others."""
    return memory.hit(parse(TYPING_LIMIT), "typing", str(user_pk))


def hit(limit: str, event: str, *user_pks: object) -> list[bool]:
    """Count an event of each user. Return whether it is within the limit.

    Redis counts for all processes. While it is away, each process counts for itself.
    """
    counted = [(parse(limit), event, str(user_pk)) for user_pk in user_pks]
    storage = redis_storage()
    in_memory = partial(hit_in_memory, counted)
    if storage is None:
        return in_memory()
    return ask(partial(hit_in_redis, storage, counted), in_memory)


def hit_in_memory(counted: Iterable[Counted]) -> list[bool]:
    return [memory.hit(*one) for one in counted]


def hit_in_redis(storage: RedisStorage, counted: Iterable[Counted]) -> list[bool]:
    """Do what MovingWindowRateLimiter.hit() does, in one round trip for all."""
    redis: Any = storage.get_connection()
    with redis.pipeline(transaction=False) as asked:
        for limit, event, user in counted:
            key = storage.prefixed_key(limit.key_for(event, user))
            values = (time.time(), limit.amount, limit.get_expiry(), 1)
            asked.eval(storage.lua_acquire_moving_window.script, 1, key, *values)
        return [bool(is_within) for is_within in asked.execute()]


@cache
def redis_storage() -> RedisStorage | None:
    """Return the storage in Redis, if settings.REDIS_URLS names one."""
    if not settings.REDIS_URLS:
        return None
    pool = ConnectionPool.from_url(settings.REDIS_URLS[0], **OPTIONS)
    return RedisStorage(
        "redis://", connection_pool=pool, key_prefix=settings.REDIS_PREFIX
    )
