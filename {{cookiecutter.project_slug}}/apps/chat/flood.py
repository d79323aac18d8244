"""How much one person may say, whatever the number of their sockets and processes."""

from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter


class Flood(ValidationError):  # noqa: N818
    """Raised where someone says too much at once."""


def check_flood(author_id: int) -> None:
    """Count a message. Raises Flood beyond settings.CHAT_FLOOD_LIMIT."""
    limiter, limit = get_limiter()
    try:
        is_allowed = limiter.hit(limit, "chat", str(author_id))
    except Exception:
        return  # without Redis, better too much than nothing
    if not is_allowed:
        raise Flood("Slow down: you are sending too much at once.")


@cache
def get_limiter() -> tuple[MovingWindowRateLimiter, RateLimitItem]:
    storage = storage_from_string(
        settings.REDIS_URLS[0] if settings.REDIS_URLS else "memory://"
    )
    return MovingWindowRateLimiter(storage), parse(settings.CHAT_FLOOD_LIMIT)
