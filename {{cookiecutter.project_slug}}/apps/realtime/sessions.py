"""Lets sockets go with the login that opened them.

Django checks a session with each request; a socket is one request that goes on for
hours. So everything that ends a login is told to all processes as it happens, and in
case a message is lost, each process looks for itself now and then.
"""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.realtime.control import disconnect, recheck


def find_revoked(scopes: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those of the sockets' scopes whose login is over. Two queries in all."""
    logins = [scope for scope in scopes if scope["user"].is_authenticated]
    users = get_user_model()._default_manager.in_bulk(
        {scope["user"].pk for scope in logins}
    )
    keys = find_open_sessions([scope["session"] for scope in logins])
    return [
        scope
        for scope in logins
        if not is_current(users.get(scope["user"].pk), scope["session"])
        or (keys is not None and scope["session"].session_key not in keys)
    ]


def find_open_sessions(sessions: Collection[Any]) -> set[str] | None:
    """Return the keys that are still good, or None where sessions have no table."""
    if not sessions or not hasattr(type(next(iter(sessions))), "get_model_class"):
        return None
    rows = (
        type(next(iter(sessions)))
        .get_model_class()
        .objects.filter(
            session_key__in=[session.session_key for session in sessions],
            expire_date__gt=timezone.now(),
        )
    )
    return set(rows.values_list("session_key", flat=True))


def is_current(user: AbstractBaseUser | None, session: Any) -> bool:
    """Whether a user exists, is active and has the password of the session yet."""
    return (
        user is not None
        and user.is_active
        and constant_time_compare(
            session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
        )
    )


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
