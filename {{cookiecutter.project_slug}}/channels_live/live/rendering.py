"""Renders regions, and says who may see them."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.core.exceptions import ObjectDoesNotExist
from django.template.loader import get_template
from django.templatetags.cache import CacheNode
from django.urls import get_script_prefix, set_script_prefix
from django.utils.translation import override

from channels_live.live.keys import Key, digest
from channels_live.live.region import Live
from channels_live.observe.outage import database_outage, is_bug

# The largest region, in characters.
MAX_SIZE = 64 * 1024
# What stands for the token in a region, which is the same for everybody.
TOKEN = "channels-live-csrf-token"  # noqa: S105
FIELD = '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'

# What a region may not be rendered within, if something is.
within: ContextVar[str] = ContextVar("within", default="")


def refuse_in_cache() -> None:
    """Note what is rendered within the tag cache: others would get it too."""
    node: Any = CacheNode
    render = node.render

    def render_in_cache(self: Any, context: Any) -> Any:
        token = within.set("cache")
        try:
            return render(self, context)
        finally:
            within.reset(token)

    node.render = render_in_cache


class State(NamedTuple):
    """What a region shows."""

    html: str
    digest: str

    def with_token(self, token: str) -> str:
        """Return the HTML for one visitor."""
        return self.html.replace(FIELD.format(TOKEN), FIELD.format(token))


EMPTY = State("", "")


class Question(NamedTuple):
    """What pages want to know of a key: its state, and whether users may see it."""

    key: Key
    is_stale: bool
    users: Mapping[Any, Any]  # by primary key


class Answer(NamedTuple):
    state: State | Exception | None  # None: nobody asked
    allowed: set[Any] | Exception  # primary keys of users


def answer(
    region: type[Live], language: str, prefix: str, questions: Sequence[Question]
) -> list[Answer]:
    """Answer questions together, in a thread. Raises what says that a database is away."""
    with in_place(language, prefix):
        live = region()
        keys = [one.key for one in questions if one.is_stale]
        states = read(live, keys) if keys else {}
        return [
            Answer(states.get(one.key), who_may_see(live, one.key, one.users))
            for one in questions
        ]


def show(region: type[Live], key: Key, user: Any) -> State | None:
    """Return what a page shows, or None where the user may not see it.

    Raises what the region raises.
    """
    live = region()
    if user.pk not in {one.pk for one in live.allowed(key, [user])}:
        return None
    try:
        contexts = live.get_contexts([key])
        return render(live, contexts[key]) if key in contexts else EMPTY
    except ObjectDoesNotExist:
        return EMPTY


@contextmanager
def in_place(language: str, prefix: str) -> Iterator[None]:
    """Be in the language, and under the mount point, of a page."""
    before = get_script_prefix()
    set_script_prefix(prefix)
    try:
        with override(language or None):
            yield
    finally:
        set_script_prefix(before)


def read(live: Live, keys: Sequence[Key]) -> dict[Key, State | Exception]:
    """Return what each key shows now, or what went wrong for it alone."""
    try:
        contexts = live.get_contexts(keys)
        return {
            key: render(live, contexts[key]) if key in contexts else EMPTY
            for key in keys
        }
    except ObjectDoesNotExist as error:
        if len(keys) == 1:
            return {keys[0]: EMPTY}
        failure: Exception = error
    except Exception as error:
        raise_if_away(error)
        failure = error
    if len(keys) == 1:
        return {keys[0]: failure}
    return {key: state for one in keys for key, state in read(live, [one]).items()}


def render(live: Live, context: Mapping[str, Any]) -> State:
    """Return what a region shows. Raises what its template raises, and ValueError."""
    token = within.set("live")
    try:
        template = get_template(live.template_name)
        html = str(template.render({"csrf_token": TOKEN, **context}))
    finally:
        within.reset(token)
    html.encode()  # raises what no socket can send
    if len(html) > MAX_SIZE:
        raise ValueError(
            f"{live.name} is {len(html):,} characters long; a region may have "
            f"{MAX_SIZE:,}. Show less of it, or make several regions."
        )
    return State(html, digest(html))


def who_may_see(live: Live, key: Key, users: Mapping[Any, Any]) -> set[Any] | Exception:
    """Return the primary keys of those users who may see a key."""
    try:
        return {
            user.pk
            for user in live.allowed(key, [fresh(one) for one in users.values()])
        }
    except Exception as error:
        raise_if_away(error)
        return error


def fresh(user: Any) -> Any:
    """Return a copy of a user that has not looked at any permission yet."""
    user = copy.copy(user)
    for name in ("_perm_cache", "_user_perm_cache", "_group_perm_cache"):
        user.__dict__.pop(name, None)
    return user


def raise_if_away(error: Exception) -> None:
    """Raise what says that the database is away; it will be asked again."""
    if isinstance(error, database_outage.errors) and not is_bug(error):
        raise error
