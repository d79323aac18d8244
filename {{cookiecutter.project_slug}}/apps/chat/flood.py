"""How much one person may say and make, by all of their sockets together."""

from functools import cache, partial
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from redis import ConnectionPool

from apps.ops.cache import OPTIONS, fallback


class Flood(ValidationError):
    """Raised where someone says or makes too much at once."""


# As many as messages, of one person, whatever the number of their sockets in a process.
TYPING_LIMIT = parse("10 per 5 seconds")
typing_limiter = FixedWindowRateLimiter(MemoryStorage())


def may_tell_typing(author_id: int) -> bool:
    """Whether others are told now that somebody is typing."""
    return typing_limiter.hit(TYPING_LIMIT, "typing", str(author_id))


class Limits(NamedTuple):
    limiter: MovingWindowRateLimiter
    meanwhile: MovingWindowRateLimiter
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
    """Count something that somebody does; while Redis is away, in this process."""
    limits = get_limits()
    hit = partial(limits.limiter.hit, limit, what, str(user_id))
    return fallback.ask(hit, partial(limits.meanwhile.hit, limit, what, str(user_id)))


@cache
def get_limits() -> Limits:
    limiter = memory = MovingWindowRateLimiter(MemoryStorage())
    if settings.REDIS_URLS:
        pool = ConnectionPool.from_url(settings.REDIS_URLS[0], **OPTIONS)
        storage = RedisStorage(
            "redis://", connection_pool=pool, key_prefix=settings.REDIS_PREFIX
        )
        limiter = MovingWindowRateLimiter(storage)
    return Limits(
        limiter,
        meanwhile=memory,
        messages=parse(settings.CHAT_FLOOD_LIMIT),
        rooms=parse(settings.CHAT_ROOM_LIMIT),
    )
