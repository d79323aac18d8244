"""Renders regions, and says who may see them."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Literal, NamedTuple

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist, SynchronousOnlyOperation
from django.db import DatabaseError, connections, router
from django.template.loader import get_template
from django.templatetags.cache import CacheNode
from django.utils.safestring import SafeString, mark_safe

from channels_live.live.names import Key, digest
from channels_live.live.place import enter_place
from channels_live.live.region import Live
from channels_live.observe.outage import database_outage, is_bug

# The largest region, in bytes.
MAX_SIZE = 64 * 1024
# What stands for the token in a region, which is the same for everybody.
TOKEN = "channels-live-csrf-token"  # noqa: S105
FIELD = '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'

# What a region may not be rendered within, if something is.
within: ContextVar[str] = ContextVar("within", default="")


@contextmanager
def inside(tag: str) -> Iterator[None]:
    token = within.set(tag)
    try:
        yield
    finally:
        within.reset(token)


def refuse_in_cache() -> None:
    """Note what is rendered within the tag cache: others would get it too."""
    node: Any = CacheNode
    node.render = inside("cache")(node.render)


# Those who may see a key, and why others could not be asked about.
type Rights = Mapping[Any, Literal[True] | Exception]
# Users by their primary keys; None for who is not logged in.
type Users = Mapping[Any, Any]
# What a key shows, or why it could not be read.
type Read = State | Exception


class State(NamedTuple):
    """What a region shows."""

    html: str
    digest: str

    def with_token(self, token: str) -> SafeString:
        """Return the HTML for one visitor."""
        html = self.html.replace(FIELD.format(TOKEN), FIELD.format(token))
        return mark_safe(html)  # noqa: S308


EMPTY = State("", digest(""))


def answer(
    region: type[Live],
    setting: tuple[str, str, str | int],
    stale: Sequence[Key],
    asked: Mapping[Key, Collection[Any]],
) -> tuple[Mapping[Key, Read], Mapping[Key, Rights]]:
    """Return what stale keys show now, or why that is not known; and who may see keys.

    Users are asked about by primary key. Called in a thread. Raises what says that a
    database is away.
    """
    enter_place(*setting)
    live = region()
    states = one_by_one(partial(read, live), stale)
    # After the state: who loses a right in that moment is shown nothing more.
    return states, find_rights(live, asked, load_users(set().union(*asked.values())))


def find_rights(
    live: Live, asked: Mapping[Key, Collection[Any]], users: Users
) -> Mapping[Key, Rights]:
    if type(live).allowed_keys is Live.allowed_keys:
        return {
            key: one_by_one(
                partial(find_users, live, key, users), [pk for pk in pks if pk in users]
            )
            for key, pks in asked.items()
        }
    rights: dict[Key, dict[Any, Literal[True] | Exception]] = {key: {} for key in asked}
    for pk, user in users.items():
        keys = [key for key, pks in asked.items() if pk in pks]
        for key, right in one_by_one(partial(find_keys, live, user), keys).items():
            rights[key][pk] = right
    return rights


def find_users(
    live: Live, key: Key, users: Users, pks: Sequence[Any]
) -> dict[Any, Literal[True]]:
    allowed = live.allowed(key, [users[pk] for pk in pks])
    return dict.fromkeys((user.pk for user in allowed), True)


def find_keys(live: Live, user: Any, keys: Sequence[Key]) -> dict[Key, Literal[True]]:
    """Return the keys that a user may see, in their order."""
    allowed = set(live.allowed_keys(user, keys))
    return dict.fromkeys((key for key in keys if key in allowed), True)


def one_by_one[Item, Found](
    ask: Callable[[Sequence[Item]], Mapping[Item, Found]], items: Sequence[Item]
) -> Mapping[Item, Found | Exception]:
    """Ask about items together; where that fails, about each alone."""
    try:
        return ask(items) if items else {}
    except Exception as error:
        if is_of_all(error):
            raise
        if len(items) == 1:
            return {items[0]: error}
    found: dict[Item, Found | Exception] = {}
    for one in items:
        found.update(one_by_one(ask, [one]))
    return found


def is_of_all(error: Exception) -> bool:
    """Whether no other question can be answered either, here and now."""
    if isinstance(error, DatabaseError) and any(
        connection.in_atomic_block for connection in connections.all(True)
    ):
        return True  # the transaction around may be broken
    if isinstance(error, database_outage.errors):
        return not is_bug(error)
    return isinstance(error, SynchronousOnlyOperation)


def load_users(pks: set[Any]) -> Users:
    """Return users as they are now. One query."""
    model = get_user_model()
    users = model._default_manager.using(router.db_for_write(model))
    found = users.in_bulk(pks - {None}).items()
    return {None: AnonymousUser()} | {pk: one for pk, one in found if one.is_active}


def read(live: Live, keys: Sequence[Key]) -> dict[Key, State]:
    """Return what each key shows now. Raises what the region raises."""
    try:
        contexts = live.get_contexts(keys)
    except ObjectDoesNotExist:
        if len(keys) > 1:
            raise
        contexts = {}
    if contexts and not contexts.keys() & set(keys):
        found = next(iter(contexts))
        raise ValueError(
            f"{live.name}.get_contexts() has a context for {found!r}, and none for "
            f"{keys[0]!r}: return contexts by the keys, in their type."
        )
    return {
        key: render(live, contexts[key]) if key in contexts else EMPTY for key in keys
    }


def render(live: Live, context: Mapping[str, Any]) -> State:
    """Return what a region shows. Raises what its template raises, and ValueError."""
    with inside("live"):
        template = get_template(live.template_name)
        html = str(template.render({"csrf_token": TOKEN, **context}))
    size = len(html.encode())  # raises what no socket can send
    if size > MAX_SIZE:
        raise ValueError(
            f"{live.name} has {size:,} bytes; a region may have {MAX_SIZE:,}. Show less, "
            "or split it into several regions."
        )
    return State(html, digest(html))
