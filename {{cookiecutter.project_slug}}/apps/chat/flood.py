"""How much one person may say, whatever the number of their sockets and processes."""

from functools import cache
from typing import Any

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
    """Raised where someone says too much at once."""


# As many as messages, of one person, whatever the number of their sockets in a process.
TYPING_LIMIT = parse("10 per 5 seconds")
typing_limiter = FixedWindowRateLimiter(MemoryStorage())


def may_tell_typing(author_id: int) -> bool:
    """Whether others are told now that somebody is typing."""
    return typing_limiter.hit(TYPING_LIMIT, "typing", str(author_id))


def check_flood(author_id: int) -> None:
    """Count a message. Raises Flood beyond settings.CHAT_FLOOD_LIMIT."""
    if flood_outage.is_fresh():
        return
    limiter, limit = get_limiter()
    try:
        is_allowed = limiter.hit(limit, "chat", str(author_id))
    except RedisError as error:
        flood_outage.begin(error)
        return
    flood_outage.end()
    if not is_allowed:
        raise Flood(_("Slow down: you are sending too much at once."))


@cache
def get_limiter() -> tuple[MovingWindowRateLimiter, RateLimitItem]:
    if settings.REDIS_URLS:
        pool = Pool.from_url(settings.REDIS_URLS[0], **REDIS_OPTIONS)
        storage = storage_from_string(
            "redis://", connection_pool=pool, key_prefix=settings.REDIS_PREFIX
        )
    else:
        storage = storage_from_string("memory://")
    return MovingWindowRateLimiter(storage), parse(settings.CHAT_FLOOD_LIMIT)
