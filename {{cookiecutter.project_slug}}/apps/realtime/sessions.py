"""Lets sockets go with the login that opened them.

Django checks a session with each request; a socket is one request that goes on for
hours. So everything that ends a login is told to all processes as it happens, and in
case a message is lost, each process looks for itself now and then.
"""

from collections.abc import Collection
from functools import partial
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.signed_cookies import (
    SessionStore as SignedCookies,
)
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.realtime.control import disconnect, recheck


def load_user(session: SessionBase) -> AbstractBaseUser | AnonymousUser:
    """Return whose session it is. Never writes it: a handshake sets no cookie."""
    path = session.get(BACKEND_SESSION_KEY)
    user = None
    if path in settings.AUTHENTICATION_BACKENDS:
        user = load_backend(path).get_user(session[SESSION_KEY])
    return user if user and is_current(user, session) else AnonymousUser()


def find_revoked(scopes: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sockets' scopes whose login is over; the others get their user anew.

    Two queries in all, where sessions are in the database.
    """
    logins = [scope for scope in scopes if scope["user"].is_authenticated]
    users = get_user_model()._default_manager.in_bulk(
        {scope["user"].pk for scope in logins}
    )
    keys = find_open_sessions([scope["session"] for scope in logins])
    revoked = []
    for scope in logins:
        user, session = users.get(scope["user"].pk), scope["session"]
        if user and is_current(user, session) and session.session_key in keys:
            scope["user"] = user
        else:
            revoked.append(scope)
    return revoked


def find_open_sessions(sessions: Collection[SessionBase]) -> set[str | None]:
    """Return the keys that are still good."""
    keys = {session.session_key for session in sessions}
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if hasattr(store, "get_model_class"):
        rows = store.get_model_class().objects.filter(
            session_key__in=keys, expire_date__gt=timezone.now()
        )
        return set(rows.values_list("session_key", flat=True))
    if issubclass(store, SignedCookies):
        return keys  # nowhere stored: only the user's end is theirs
    return {key for key in keys if store().exists(key)}


def is_current(user: AbstractBaseUser, session: SessionBase) -> bool:
    """Whether a user is active and still has the password of the session."""
    found = session.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user.is_active and any(constant_time_compare(found, one) for one in hashes)


def on_logout(request: HttpRequest, **kwargs: Any) -> None:
    if request is not None and request.session.session_key:
        transaction.on_commit(partial(disconnect, session=request.session.session_key))


def on_change(
    instance: AbstractBaseUser,
    created: bool = False,
    update_fields: Collection[str] | None = None,
    **kwargs: Any,
) -> None:
    # Each login saves when it was.
    if not created and set(update_fields or ()) != {"last_login"}:
        transaction.on_commit(partial(recheck, instance.pk))


def connect_signals() -> None:
    user_logged_out.connect(on_logout, dispatch_uid="realtime")
    post_save.connect(on_change, sender=get_user_model(), dispatch_uid="realtime")
    post_delete.connect(on_change, sender=get_user_model(), dispatch_uid="realtime")
