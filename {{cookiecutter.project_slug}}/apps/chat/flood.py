"""How much one person may say and make, whatever the number of their sockets and processes."""

from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from apps.realtime.outage import Outage
from apps.realtime.redis import Pool

# A database thread waits for Redis here: better too much than to hold it up.
REDIS_OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 0.25,
    "socket_timeout": 0.25,
    "retry": Retry(NoBackoff(), 0),
}
flood_outage = Outage("Redis", "Nobody is told to slow down meanwhile.")


class Flood(ValidationError):  # noqa: N818
    """Raised where someone says or makes too much at once."""


# As many as messages, of one person, whatever the number of their sockets in a process.
TYPING_LIMIT = parse("10 per 5 seconds")
typing_limiter = FixedWindowRateLimiter(MemoryStorage())


def may_tell_typing(author_id: int) -> bool:
    """Whether others are told now that somebody is typing."""
    return typing_limiter.hit(TYPING_LIMIT, "typing", str(author_id))


class Limits(NamedTuple):
    limiter: MovingWindowRateLimiter
    messages: RateLimitItem
    rooms: RateLimitItem


def check_flood(author_id: int) -> None:
    """Count a message. Raises Flood beyond settings.CHAT_FLOOD_LIMIT."""
    if not is_allowed(get_limits().messages, "chat", author_id):
        raise Flood(_("Slow down: you are sending too much at once."))


def check_rooms(creator_id: int) -> None:
    """Count a new room. Raises Flood beyond settings.CHAT_ROOM_LIMIT."""
    if not is_allowed(get_limits().rooms, "rooms", creator_id):
        raise Flood(_("You have made many rooms lately. Try again later."))


def is_allowed(limit: RateLimitItem, what: str, user_id: int) -> bool:
    """Count something that somebody does. While Redis is away, it is let through."""
    if flood_outage.is_fresh():
        return True
    try:
        is_within = get_limits().limiter.hit(limit, what, str(user_id))
    except RedisError as error:
        flood_outage.begin(error)
        return True
    flood_outage.end()
    return is_within


@cache
def get_limits() -> Limits:
    if settings.REDIS_URLS:
        pool = Pool.from_url(settings.REDIS_URLS[0], **REDIS_OPTIONS)
        storage = storage_from_string(
            "redis://", connection_pool=pool, key_prefix=settings.REDIS_PREFIX
        )
    else:
        storage = storage_from_string("memory://")
    return Limits(
        MovingWindowRateLimiter(storage),
        messages=parse(settings.CHAT_FLOOD_LIMIT),
        rooms=parse(settings.CHAT_ROOM_LIMIT),
    )
