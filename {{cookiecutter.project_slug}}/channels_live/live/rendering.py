"""Renders regions, and says who may see them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist
from django.db import router
from django.template.loader import get_template
from django.templatetags.cache import CacheNode
from django.urls import get_script_prefix, set_script_prefix
from django.utils import timezone
from django.utils.translation import get_language, override

from channels_live.delivery.group import complain
from channels_live.live.keys import Key, digest
from channels_live.live.region import Live
from channels_live.observe.outage import database_outage, is_bug

# The largest region, in characters.
MAX_SIZE = 64 * 1024
STRANGE_KEYS = "%s, which it was not asked for. Return the keys as they are given."
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
    users: set[Any]  # primary keys; None for who is not logged in


class Answer(NamedTuple):
    state: State | Exception | None  # None: nobody asked
    allowed: set[Any]  # of the users
    errors: list[Exception]  # of those who were asked for in vain


def answer(
    region: type[Live], setting: tuple[str, str, str | int], questions: list[Question]
) -> list[Answer]:
    """Answer questions together, in a thread. Raises what says that a database is away."""
    with in_place(*setting):
        live = region()
        keys = [one.key for one in questions if one.is_stale]
        states = read(live, keys) if keys else {}
        # After the state: who loses a right in that moment is shown nothing more.
        users = load_users({pk for one in questions for pk in one.users})
        answers = []
        for key, _, pks in questions:
            asked = [users[pk] for pk in pks if pk in users]
            errors: list[Exception] = []
            allowed = who_may_see(live, key, asked, errors)
            answers.append(Answer(states.get(key), allowed, errors))
        return answers


def load_users(pks: set[Any]) -> dict[Any, Any]:
    """Return users as they are now, by primary key. One query."""
    model = get_user_model()
    users = model._default_manager.using(router.db_for_write(model))
    found = users.in_bulk(pks - {None}).items()
    return {None: AnonymousUser()} | {pk: one for pk, one in found if one.is_active}


def show(region: type[Live], key: Key, user: Any) -> State | None:
    """Return what a page shows, or None where the user may not see it.

    Raises what the region raises.
    """
    live = region()
    if user.pk not in {one.pk for one in live.allowed(key, [user])}:
        return None
    try:
        return read_together(live, [key])[key]
    except ObjectDoesNotExist:
        return EMPTY


@contextmanager
def in_place(language: str, prefix: str, zone: str | int) -> Iterator[None]:
    """Be in the language, the time zone and under the mount point of a page."""
    before = get_script_prefix()
    set_script_prefix(prefix)
    at = timezone.get_fixed_timezone(zone) if isinstance(zone, int) else zone
    try:
        with override(language or None), timezone.override(at or None):
            yield
    finally:
        set_script_prefix(before)


def place_of_page() -> tuple[str, str, str | int]:
    """Return what in_place() takes, of the page that is rendered now."""
    zone: Any = timezone.get_current_timezone()
    at = getattr(zone, "key", "") or zone.utcoffset(None) // timedelta(minutes=1)
    return get_language() or "", get_script_prefix(), at


def read(live: Live, keys: Sequence[Key]) -> dict[Key, State | Exception]:
    """Return what each key shows now, or what went wrong for it alone."""
    try:
        return {**read_together(live, keys)}
    except Exception as error:
        raise_if_away(error)
        if len(keys) == 1:
            return {keys[0]: EMPTY if isinstance(error, ObjectDoesNotExist) else error}
    return {key: state for one in keys for key, state in read(live, [one]).items()}


def read_together(live: Live, keys: Sequence[Key]) -> dict[Key, State]:
    contexts = live.get_contexts(keys)
    for strange in contexts.keys() - set(keys):
        complain(STRANGE_KEYS, f"{live.name}.get_contexts returns {strange!r}")
    return {
        key: render(live, contexts[key]) if key in contexts else EMPTY for key in keys
    }


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


def who_may_see(
    live: Live, key: Key, users: list[Any], errors: list[Exception]
) -> set[Any]:
    """Return the primary keys of those users who may see a key.

    Whoever cannot be asked for is denied, and holds up nobody else.
    """
    try:
        return {user.pk for user in live.allowed(key, users)}
    except Exception as error:
        raise_if_away(error)
        if len(users) < 2:
            errors.append(error)
            return set()
    return {pk for one in users for pk in who_may_see(live, key, [one], errors)}


def raise_if_away(error: Exception) -> None:
    """Raise what says that the database is away; it will be asked again."""
    if isinstance(error, database_outage.errors) and not is_bug(error):
        raise error
