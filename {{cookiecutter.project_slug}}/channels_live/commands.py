"""Functions for any code that publishes or disconnects: views, commands, tasks, threads."""

import logging
import time
from collections.abc import Collection, Coroutine, Iterable, Mapping

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from channels_live.base.close_code import CloseCode
from channels_live.base.messages import Kind, Message, check_name, label, user_key
from channels_live.base.tasks import is_in_loop, start
from channels_live.base.threads import start_in_thread
from channels_live.delivery.fragments import Event, Fragment, as_fragment
from channels_live.delivery.sending import EVERYBODY, reaches_nobody, tell
from channels_live.live.changes import with_subclasses, write
from channels_live.observe import metrics
from channels_live.observe.complaints import complain
from channels_live.observe.outage import database_outage
from channels_live.process import get_process

logger = logging.getLogger(__name__)

NOBODY = (
    "Nothing that this process publishes reaches a page: the channel layer is in memory, "
    "and the process is no server. Set REDIS_URL to publish from a command or task. Live "
    "regions need no REDIS_URL, because they are updated through the database."
)


async def apublish(group: str, *fragments: str | Fragment) -> None:
    """Send HTML to all sockets of a group, in every process.

    Call it after the commit. A Fragment with a number is part of the group's history,
    and arrives even if the channel layer fails. An outage of the channel layer is logged
    once, and raises nothing.

    Raises ValueError for an invalid group name, TypeError for HTML that is no str.
    """
    await publishing(group, fragments)


def publish(group: str, *fragments: str | Fragment) -> None:
    """Do what apublish() does, from sync or async code; in a server, without waiting."""
    start(publishing(group, fragments))


async def apublish_event(group: str, *events: Mapping[str, object] | Event) -> None:
    """Send JSON objects to all sockets of JsonConsumers in a group, as apublish() does.

    An Event with a number is part of the group's history. Raises ValueError or TypeError
    for an invalid group name, or an event that is no JSON object.
    """
    await publishing(group, events, is_json=True)


def publish_event(group: str, *events: Mapping[str, object] | Event) -> None:
    """Do what apublish_event() does, from sync or async code; see publish()."""
    start(publishing(group, events, is_json=True))


def disconnect(
    *,
    code: int = CloseCode.NOT_LOGGED_IN,
    session: str | None = None,
    user: object = None,
    group: str | None = None,
) -> None:
    """Close the sockets that match all arguments, in every process, within a second.

    `session` is a session key, `user` a primary key, `group` the name of a group that
    the socket has joined. Raises ValueError without any of these, and for an invalid
    group name, primary key or close code; TypeError for a session that is no key.
    """
    if not (1000 <= code < 1004 or 1007 <= code < 1015 or 3000 <= code < 5000):
        raise ValueError(f"Expected a close code that servers may send, got {code!r}.")
    if group is not None:
        check_name(group)
    if user is not None:
        user = user_key(user)
    given = {"session": session, "user": user, "group": group}
    labels = [label(kind, value) for kind, value in given.items() if value is not None]
    if not labels:
        raise ValueError("Expected a session, a user or a group to disconnect.")
    tell_all(Message(Kind.DISCONNECT, labels=labels, code=int(code)))


def recheck(user: object) -> None:
    """Make every process check a user's logins, and which live regions they may see.

    `user` is a primary key. Raises ValueError if it is invalid.
    """
    tell_all(Message(Kind.RECHECK, labels=[label("user", user_key(user))]))


def history_changed(group: str) -> None:
    """Make every process read a group's history again for sockets that reconnect."""
    check_name(group)
    tell_all(Message(Kind.HISTORY_CHANGED, group))


def tell_all(message: Message) -> None:
    """Have every process act on a message: it is sent, and found in the database."""
    message = message._replace(published=time.time())
    if is_in_loop():
        start_in_thread(keep, message)
    else:
        keep(message)
        if transaction.get_connection().in_atomic_block:
            return  # what was kept is told on commit
    start(tell_everybody(message))


def keep(message: Message) -> None:
    with database_outage.noticed():
        write([message.as_subject()], using=None)


async def tell_everybody(message: Message) -> None:
    if not await tell(EVERYBODY, message) and database_outage.failed:
        logger.error(
            "Neither the channel layer nor the database answers, so other processes "
            "were not told: %s. They check logins and access when these are back.",
            message.kind,
        )


async def check_channel_layer() -> None:
    """Send this process a message through the channel layer, and wait for it.

    Raises what the channel layer raises, and TimeoutError if nothing arrives.
    """
    process = get_process()
    await process.start()
    await process.hub.bus.echo()


def publishing(
    group: str, contents: Iterable[object], *, is_json: bool = False
) -> Coroutine[object, object, object]:
    """Return a coroutine that publishes. Raises ValueError or TypeError at once."""
    check_name(group)
    pairs = []
    for content in contents:
        html, number, _ = as_fragment(content, is_json=is_json)
        if type(number) is not int or number < 0:
            raise TypeError(f"Expected a fragment's number as int, got {number!r}.")
        pairs.append((html, number))
    # What has a number is found in its history.
    if reaches_nobody() and not all(number for _, number in pairs):
        complain(NOBODY)
    kind = Kind.EVENTS if is_json else Kind.FRAGMENTS
    metrics.published.inc(len(pairs))
    return tell(group, Message(kind, group, pairs, time.time()))


@receiver(user_logged_out)
def on_logout(request: HttpRequest | None, **kwargs: object) -> None:
    # A consumer that logs somebody out has no request: see Login.follow().
    if request is not None and request.session.session_key:
        disconnect(session=request.session.session_key)


@receiver(user_logged_in)
def on_login(request: HttpRequest | None, **kwargs: object) -> None:
    # Django ends the session before, perhaps of somebody else, without a signal.
    key = settings.SESSION_COOKIE_NAME
    if request is not None and (ended := request.COOKIES.get(key)):
        disconnect(session=ended)


def follow_users() -> None:
    """Have on_change() hear of all who are saved, by a proxy of the user model too."""
    for model in with_subclasses(get_user_model()):
        for signal in (post_save, post_delete):
            signal.connect(on_change, model)


def on_change(
    instance: AbstractBaseUser,
    created: bool = False,
    update_fields: Collection[str] | None = None,
    **kwargs: object,
) -> None:
    # Each login saves when it was.
    if not created and set(update_fields or ()) != {"last_login"}:
        recheck(instance.pk)
