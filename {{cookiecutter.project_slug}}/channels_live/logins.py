"""Whose sessions are, and whether their logins are still good: for many at once."""

from collections.abc import Collection
from contextlib import suppress
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends import db, signed_cookies
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

type Session = Any  # a SessionBase, which can be hashed: its types say otherwise


def load_logins(sessions: Collection[Session]) -> dict[Session, Any]:
    """Read these sessions. Return whose they are, where somebody is logged in.

    Two queries in all, where sessions are in the database.
    """
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if store.load is db.SessionStore.load:
        rows = {row.pk: row for row in find_rows(store, sessions)}
        for session in sessions:
            row = rows.get(session.session_key)
            session._session_cache = session.decode(row.session_data) if row else {}
            if not row:
                session._session_key = None
    logins = find_users(sessions)
    for session in sessions:
        if session not in logins:
            session.pop(auth.SESSION_KEY, None)  # never stored: no cookie is set here
    return logins


def find_users(sessions: Collection[Session]) -> dict[Session, Any]:
    """Return the users of these sessions who may still use them.

    One query for all, but for backends that look up users in a way of their own.
    """
    users = auth.get_user_model()._default_manager
    pks: dict[Session, Any] = {}
    for session in sessions:
        with suppress(KeyError, ValidationError):
            pks[session] = users.model._meta.pk.to_python(session[auth.SESSION_KEY])
    found = users.in_bulk(set(pks.values())) if pks else {}
    logins = {}
    for session, pk in pks.items():
        user = found.get(pk)
        if path := session.get(auth.BACKEND_SESSION_KEY):
            user = ask_backend(path, pk, user)
        if user and is_current(user, session):
            logins[session] = user
    return logins


def ask_backend(path: str, pk: Any, user: Any) -> Any:
    """Return who that is for a backend, given whom the user model knows by that key."""
    if path not in settings.AUTHENTICATION_BACKENDS:
        return None
    backend: Any = auth.load_backend(path)
    if type(backend).get_user is not ModelBackend.get_user:
        return backend.get_user(pk)
    return user if user and backend.user_can_authenticate(user) else None


def find_ended(sessions: Collection[Session]) -> set[Session]:
    """Return those that are stored no more."""
    stored = [
        one for one in sessions if not isinstance(one, signed_cookies.SessionStore)
    ]
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if hasattr(store, "get_model_class"):
        keys = set(find_rows(store, stored).values_list("pk", flat=True))
        return {one for one in stored if one.session_key not in keys}
    return {one for one in stored if not one.exists(one.session_key)}


def find_rows(store: Any, sessions: Collection[Session]) -> Any:
    keys = {session.session_key for session in sessions}
    rows = store.get_model_class().objects
    return rows.filter(session_key__in=keys, expire_date__gt=timezone.now())


def is_current(user: AbstractBaseUser, session: Session) -> bool:
    """Whether a user is active and still has the password of the session."""
    found = session.get(auth.HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user.is_active and any(constant_time_compare(found, one) for one in hashes)
