"""Which logins are over."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import auth
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from channels_live.delivery.socket import Socket
from channels_live.logins import load_logins
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


def test_however_many_come_in_it_takes_two_queries(
    django_assert_num_queries: DjangoAssertNumQueries, ada: Any, bob: Any
) -> None:
    known = [log_in(user).scope["session"] for user in (ada, bob) for _ in range(5)]
    nobodys, forged = Client().session, SessionStore("forged-key")
    coming = [SessionStore(one.session_key) for one in known]

    with django_assert_num_queries(2):
        logins = load_logins([*coming, nobodys, forged])

        assert [logins.get(one) for one in coming] == [ada] * 5 + [bob] * 5
        assert not logins.keys() & {nobodys, forged}
        assert not forged.session_key


@pytest.mark.parametrize("engine", ["cache", "cached_db", "signed_cookies"])
def test_they_come_in_by_sessions_of_any_kind(
    settings: Settings, ada: Any, engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    known = log_in(ada).scope["session"]
    coming, forged = type(known)(known.session_key), type(known)("forged-key")

    assert load_logins([coming, forged]) == {coming: ada}


class Backend(ModelBackend):
    """Knows people who are staff alone, and looks them up in its own way."""

    def get_user(self, user_id: Any) -> Any:
        return get_user_model().objects.filter(pk=user_id, is_staff=True).first()


class Wary(ModelBackend):
    """Lets in people who are staff alone."""

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(user and user.is_staff)


@pytest.mark.parametrize("backend", [Backend, Wary])
def test_backends_say_whom_they_know(
    settings: Settings, ada: Any, bob: Any, backend: type
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{backend.__name__}"]
    adas, bobs = log_in(ada), log_in(bob)
    get_user_model().objects.filter(pk=ada.pk).update(is_staff=True)

    assert find_revoked([adas, bobs]) == [bobs]
    sessions = [adas.scope["session"], bobs.scope["session"]]
    assert load_logins(sessions) == {sessions[0]: ada}


def test_one_session_that_makes_no_sense_harms_no_other(ada: Any) -> None:
    adas, odd = log_in(ada).scope["session"], SessionStore()
    odd[auth.SESSION_KEY] = "not\0a key"
    odd[auth.BACKEND_SESSION_KEY] = "gone.Backend"
    odd.save()

    assert load_logins([odd, adas]) == {adas: ada}
