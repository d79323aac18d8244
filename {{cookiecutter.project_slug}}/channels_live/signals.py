"""Tells all processes when a login ends."""

from collections.abc import Collection
from functools import partial

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from channels_live.commands import disconnect, recheck


def on_logout(request: HttpRequest | None, **kwargs: object) -> None:
    # A consumer that logs somebody out has no request: see Login.follow().
    if request is not None and request.session.session_key:
        transaction.on_commit(partial(disconnect, session=request.session.session_key))


def on_change(
    instance: AbstractBaseUser,
    created: bool = False,
    update_fields: Collection[str] | None = None,
    **kwargs: object,
) -> None:
    # Each login saves when it was.
    if not created and set(update_fields or ()) != {"last_login"}:
        transaction.on_commit(partial(recheck, instance.pk))


def connect() -> None:
    uid = "channels_live"
    user_logged_out.connect(on_logout, dispatch_uid=uid)
    post_save.connect(on_change, sender=get_user_model(), dispatch_uid=uid)
    post_delete.connect(on_change, sender=get_user_model(), dispatch_uid=uid)
