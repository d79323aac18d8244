"""Which logins are over."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from channels_live.delivery.socket import Socket
from channels_live.revocation import find_revoked

pytestmark = pytest.mark.django_db


def socket_with(user: Any, session: SessionBase) -> Socket:
    unused: Any = None
    return Socket({"path": "/", "user": user, "session": session}, unused, unused)


def log_in(user: Any) -> Socket:
    """A socket of somebody who has just logged in."""
    client = Client()
    client.force_login(user)
    session = client.session
    assert session.keys()  # read, as AuthMiddleware has done
    return socket_with(user, session)


def log_out(session: SessionBase, user: Any) -> None:
    session.delete()


def expire(session: SessionBase, user: Any) -> None:
    session.set_expiry(timezone.now() - timedelta(seconds=1))
    session.save()


def change_password(session: SessionBase, user: Any) -> None:
    user.set_unusable_password()
    user.save()


def deactivate(session: SessionBase, user: Any) -> None:
    user.is_active = False
    user.save()


def delete(session: SessionBase, user: Any) -> None:
    get_user_model().objects.filter(pk=user.pk).delete()


@pytest.mark.parametrize(
    "end",
    [log_out, expire, change_password, deactivate, delete],
    ids=lambda f: f.__name__,
)
def test_a_login_that_ended_is_found(
    ada: Any, bob: Any, end: Callable[[SessionBase, Any], None]
) -> None:
    adas, bobs = log_in(ada), log_in(bob)
    assert find_revoked([adas, bobs]) == []

    session = adas.scope["session"]
    end(type(session)(session.session_key), ada)

    assert find_revoked([adas, bobs]) == [adas]


def test_one_of_two_logins_ends_alone(ada: Any) -> None:
    ended, goes_on = log_in(ada), log_in(ada)

    log_out(ended.scope["session"], ada)

    assert find_revoked([goes_on, ended]) == [ended]


def test_a_rename_ends_no_login(ada: Any) -> None:
    socket = log_in(ada)

    ada.username = "countess"
    ada.save()

    assert find_revoked([socket]) == []
    assert socket.scope["user"].username == "countess"


def test_who_never_logged_in_is_left_alone(ada: Any) -> None:
    stranger = socket_with(AnonymousUser(), Client().session)

    assert find_revoked([stranger]) == []
    assert find_revoked([]) == []


def test_however_many_sockets_it_takes_two_queries(
    django_assert_num_queries: DjangoAssertNumQueries, ada: Any, bob: Any
) -> None:
    sockets = [log_in(user) for user in (ada, bob) for _ in range(5)]

    with django_assert_num_queries(2):
        assert find_revoked(sockets) == []


@pytest.mark.parametrize("engine", ["cache", "signed_cookies"])
def test_where_sessions_have_no_table_the_user_is_looked_at(
    settings: Settings, ada: Any, bob: Any, engine: str
) -> None:
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend}}
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    adas, bobs = log_in(ada), log_in(bob)
    assert find_revoked([adas, bobs]) == []

    change_password(adas.scope["session"], ada)

    assert find_revoked([adas, bobs]) == [adas]
