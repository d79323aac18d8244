"""What all processes are told at once: who has to leave."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from apps.realtime.background import start
from apps.realtime.codes import NOT_LOGGED_IN
from apps.realtime.names import check_name
from apps.realtime.outage import RETRY_AFTER
from apps.realtime.publish import send_to_group

logger = logging.getLogger(__name__)

# The group that every process listens to.
CONTROL = "realtime.control"
# Tells this process's own messages from those of others.
PROCESS = uuid4().hex
# For how long a message is tried again while the channel layer is away, in seconds.
PERSISTENCE = 600

_retries: set[asyncio.Task[None]] = set()
# What this process does on such a message, by its event loop.
_ears: WeakKeyDictionary[
    asyncio.AbstractEventLoop, Callable[[dict[str, Any]], None]
] = WeakKeyDictionary()


async def adisconnect(
    *,
    code: int = NOT_LOGGED_IN,
    session: str | None = None,
    user: int | None = None,
    group: str | None = None,
) -> None:
    """Close the sockets that fit all that is given, on every process, within a second.

    `session` is a session key, `user` a primary key, `group` a name that was joined.
    """
    await tell_all(dismissal(code, session, user, group))


async def aforget(group: str) -> None:
    """Have every process forget the fragments of a group: the history has changed."""
    await tell_all({"type": "forget", "group": group})


async def arecheck(user: int) -> None:
    """Have every process check whether a user's logins are still good."""
    await tell_all({"type": "recheck", "user": user})


def disconnect(
    *,
    code: int = NOT_LOGGED_IN,
    session: str | None = None,
    user: int | None = None,
    group: str | None = None,
) -> None:
    """Do what adisconnect() does, from any code.

    Waits for nothing but where no event loop is to do it, as in a command: that tries
    once, and says in the log where it was in vain.
    """
    start(tell_all(dismissal(code, session, user, group)))


def forget(group: str) -> None:
    """Do what aforget() does, from any code; see disconnect()."""
    start(aforget(group))


def recheck(user: int) -> None:
    """Do what arecheck() does, from any code; see disconnect()."""
    start(arecheck(user))


def dismissal(
    code: int, session: str | None, user: int | None, group: str | None
) -> dict[str, Any]:
    """The message that closes sockets. Raises ValueError where it fits none, or all."""
    if group is not None:
        check_name(group)
    labels = [label("session", session), label("user", user), label("group", group)]
    labels = [one for one in labels if one]
    if not labels:
        raise ValueError("Expected a session, a user or a group to disconnect.")
    return {"type": "disconnect", "labels": labels, "code": code}


def label(kind: str, value: object) -> str:
    """What a socket goes by; it may have several."""
    return "" if value is None else f"{kind}:{value}"


def listen(
    loop: asyncio.AbstractEventLoop, ear: Callable[[dict[str, Any]], None]
) -> None:
    """Have a process hear what it says itself, whatever becomes of the channel layer."""
    _ears[loop] = ear


async def tell_all(message: dict[str, Any]) -> None:
    if ear := _ears.get(asyncio.get_running_loop()):
        ear(message)
        message = {**message, "heard_by": PROCESS}
    if not await send_to_group(CONTROL, message):
        retry = asyncio.create_task(send_again(message))
        _retries.add(retry)
        retry.add_done_callback(_retries.discard)


async def send_again(message: dict[str, Any]) -> None:
    try:
        for _ in range(PERSISTENCE // RETRY_AFTER):
            await asyncio.sleep(RETRY_AFTER)
            if await send_to_group(CONTROL, message):
                return
    except asyncio.CancelledError:  # the process ends, or the command
        give_up(message)
        raise
    give_up(message)


def give_up(message: dict[str, Any]) -> None:
    # Without its labels: a session key is a secret.
    logger.error(
        "The channel layer was away, and processes were not told to %s. Each of them "
        "finds logins and rights that have ended by itself, every 30 seconds and when "
        "the channel layer is back; what the database does not show is to be told anew.",
        message["type"],
    )
