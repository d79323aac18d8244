"""How much one user may send and create, on all processes together."""

from functools import cache, partial

import limits
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import ConnectionPool

from apps.ops.cache import OPTIONS, fallback

# Shown, and not stored: each process counts for itself.
TYPING_LIMIT = "10 per 5 seconds"

parse = cache(limits.parse)
memory = MovingWindowRateLimiter(MemoryStorage())


class Flood(ValidationError):
    """Raised when a user sends or creates too much at once."""


def check_messages(user_pk: object) -> None:
    """Count a message. Raise Flood beyond settings.CHAT_FLOOD_LIMIT."""
    if not hit(settings.CHAT_FLOOD_LIMIT, "chat", user_pk):
        raise Flood(_("Slow down: you are sending too much at once."))


def check_rooms(user_pk: object) -> None:
    """Count a new room. Raise Flood beyond settings.CHAT_ROOM_LIMIT."""
    if not hit(settings.CHAT_ROOM_LIMIT, "rooms", user_pk):
        raise Flood(_("You have made many rooms lately. Try again later."))


def may_show_typing(user_pk: object) -> bool:
    """Count a "typing" event. Return whether to show it to others."""
    return memory.hit(parse(TYPING_LIMIT), "typing", str(user_pk))


def hit(limit: str, event: str, user_pk: object) -> bool:
    """Count an event of a user. Return whether it is within the limit.

    Redis counts for all processes. While it is away, each process counts for itself.
    """
    counted = (parse(limit), event, str(user_pk))
    redis = redis_limiter()
    if redis is None:
        return memory.hit(*counted)
    return fallback.ask(partial(redis.hit, *counted), partial(memory.hit, *counted))


@cache
def redis_limiter() -> MovingWindowRateLimiter | None:
    """Return what counts in Redis, if settings.REDIS_URLS names one."""
    if not settings.REDIS_URLS:
        return None
    pool = ConnectionPool.from_url(settings.REDIS_URLS[0], **OPTIONS)
    storage = RedisStorage(
        "redis://", connection_pool=pool, key_prefix=settings.REDIS_PREFIX
    )
    return MovingWindowRateLimiter(storage)
