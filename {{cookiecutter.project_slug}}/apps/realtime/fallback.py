"""What Redis counts for all processes; while it is away, each counts for itself."""

from collections.abc import Callable
from threading import Lock

from redis.exceptions import RedisError

from apps.realtime.outage import Outage

redis_outage = Outage("Redis", "Each process counts for itself meanwhile.")
_telling = Lock()  # of the threads that notice it together, one tells


def ask[T](redis: Callable[[], T], memory: Callable[[], T]) -> T:
    """Return what Redis answers or, while it is away, what this process's memory does."""
    if redis_outage.is_fresh():
        return memory()
    try:
        answer = redis()
    except RedisError as error:
        with _telling:
            redis_outage.begin(error)
        return memory()
    if redis_outage.parts:
        with _telling:
            redis_outage.end()
    return answer
