"""What all processes are told at once: who has to leave, and what to read anew."""

import asyncio
import logging

from channels_live.base.close_code import CloseCode
from channels_live.base.messages import Disconnect, HistoryChanged, Message, Recheck
from channels_live.base.names import check_name, label
from channels_live.base.tasks import Tasks
from channels_live.commands.background import start
from channels_live.delivery import bus
from channels_live.delivery.hub import EVERYBODY
from channels_live.observe.outage import RETRY_AFTER
from channels_live.process import get_process

logger = logging.getLogger(__name__)

# For how long a message is tried again while the channel layer is away, in seconds.
PERSISTENCE = 600

_retries = Tasks()


def disconnect(
    *,
    code: CloseCode = CloseCode.NOT_LOGGED_IN,
    session: str | None = None,
    user: object = None,
    group: str | None = None,
) -> None:
    """Close the sockets that fit all that is given, on every process, within a second.

    `session` is a session key, `user` a primary key, `group` a name that was joined.
    Waits for nothing but where no event loop is to do it, as in a command: that tries
    once, and says in the log where it was in vain.

    Raises ValueError where nothing is given, or no group can have the name.
    """
    if group is not None:
        check_name(group)
    given = {"session": session, "user": user, "group": group}
    labels = [label(kind, value) for kind, value in given.items() if value is not None]
    if not labels:
        raise ValueError("Expected a session, a user or a group to disconnect.")
    start(tell_all(Disconnect(labels, CloseCode(code))))


def recheck(user: object) -> None:
    """Have every process check whether the logins of a user (by primary key) are good."""
    start(tell_all(Recheck(str(user))))


def history_changed(group: str) -> None:
    """Have every process read a group's history anew for those who come back."""
    check_name(group)
    start(tell_all(HistoryChanged(group)))


async def tell_all(message: Message) -> None:
    """Act on a message here, whatever becomes of the channel layer, and tell others."""
    process = get_process()
    process.hear(message, sender="")
    sender = str(process.id)
    if not await bus.send(EVERYBODY, message, sender=sender):
        _retries.spawn(tell_again(message, sender))


async def tell_again(message: Message, sender: str) -> None:
    try:
        for _ in range(PERSISTENCE // RETRY_AFTER):
            await asyncio.sleep(RETRY_AFTER)
            if await bus.send(EVERYBODY, message, sender=sender):
                return
    except asyncio.CancelledError:  # the process ends, or the command
        give_up(message)
        raise
    give_up(message)


def give_up(message: Message) -> None:
    # Without its labels: a session key is a secret.
    logger.error(
        "The channel layer was away, and processes were not told: %s. Each of them "
        "finds logins and rights that have ended by itself, every 30 seconds and when "
        "the channel layer is back; what the database does not show is to be told anew.",
        type(message).__name__,
    )
