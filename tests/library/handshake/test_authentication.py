from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from channels_live import in_thread
from tests.library.helpers.browsing import key_of, only, socket_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(transactional_db: None) -> AbstractUser:
    user: AbstractUser = get_user_model().objects.create_user("ada")
    return user


@pytest.fixture
def client(ada: Any) -> Client:
    """Somebody who is logged in as Ada."""
    client = Client()
    client.force_login(ada)
    return client


async def scope_of(key: str | None) -> dict[str, Any]:
    """The scope that a consumer sees, for a socket with that session key."""
    scopes: list[dict[str, Any]] = []

    async def inner(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scopes.append(scope)

    cookie = f"{django_settings.SESSION_COOKIE_NAME}={key}; theme=dark"
    socket = socket_of("/", cookie="" if key is None else cookie)
    await only(inner)(socket.scope, None, None)
    return scopes[0]


async def test_who_is_logged_in_is_known(client: Client, ada: AbstractUser) -> None:
    scope = await scope_of(key_of(client))

    assert scope["user"] == ada
    assert scope["session"].session_key == key_of(client)
    assert scope["cookies"]["theme"] == "dark"


async def test_without_a_cookie_nobody_is_known() -> None:
    scope = await scope_of(None)

    assert scope["user"].is_anonymous
    assert scope["session"].session_key is None


@pytest.mark.parametrize(
    "key", ["", "0", '"\\000x"', "x" * 32, "x" * 4000, "\u00fc", "a'; --"]
)
async def test_a_forged_session_is_nobodys(client: Client, key: str) -> None:
    assert (await scope_of(key))["user"].is_anonymous


async def test_an_expired_session_is_nobodys(client: Client) -> None:
    def expire() -> None:
        session = client.session
        session.set_expiry(timezone.now() - timedelta(seconds=1))
        session.save()

    await in_thread(expire)()

    assert (await scope_of(key_of(client)))["user"].is_anonymous


async def test_a_session_ends_with_logout(client: Client) -> None:
    key = key_of(client)
    await in_thread(client.logout)()

    assert (await scope_of(key))["user"].is_anonymous


async def test_a_session_ends_with_the_password_it_was_opened_with(
    client: Client, ada: AbstractUser
) -> None:
    ada.set_unusable_password()
    await in_thread(ada.save)()

    assert (await scope_of(key_of(client)))["user"].is_anonymous


async def test_a_session_ends_with_deactivation(
    client: Client, ada: AbstractUser
) -> None:
    ada.is_active = False
    await in_thread(ada.save)()

    assert (await scope_of(key_of(client)))["user"].is_anonymous


async def test_a_session_ends_with_its_user(client: Client, ada: AbstractUser) -> None:
    await in_thread(ada.delete)()

    assert (await scope_of(key_of(client)))["user"].is_anonymous


async def test_a_new_secret_key_ends_no_session_and_changes_none(
    client: Client, ada: AbstractUser, settings: Settings
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    for _ in range(2):
        assert (await scope_of(key_of(client)))["user"] == ada
