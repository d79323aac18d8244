"""How many sockets somebody may open, and what happens to who opens more."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from channels_live import in_thread
from channels_live.handshake.application import WINDOW
from channels_live.handshake.authentication import VISITORS, network_of
from channels_live.process import get_process
from tests.library.helpers.browsing import key_of, only, socket_of

LIMIT = 2 * WINDOW


@pytest.fixture(autouse=True)
def limit(tune: Callable[..., None]) -> None:
    tune(SOCKETS_PER_SECOND=LIMIT // WINDOW)


class Door:
    """An application, and who has got in."""

    def __init__(self) -> None:
        self.entered: list[Any] = []
        self.application = only(self.let_in)

    async def let_in(self, scope: Any, receive: Any, send: Any) -> None:
        self.entered.append(scope["user"])

    async def knock(self, *, key: str = "", address: str = "192.0.2.1") -> bool:
        """Open a socket. Returns whether it got in."""
        answers: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            answers.append(message)

        cookie = f"{django_settings.SESSION_COOKIE_NAME}={key}"
        socket = socket_of("/", cookie=cookie if key else "")
        scope: Any = {**socket.scope, "client": (address, 1)}
        before = len(self.entered)
        await self.application(scope, receive, send)
        is_in = len(self.entered) > before
        types = [answer["type"] for answer in answers]
        assert types == ([] if is_in else ["websocket.close"])
        return is_in


def new_key_of(user: Any) -> str:
    client = Client()
    client.force_login(user)
    return key_of(client)


@pytest.mark.django_db(transaction=True)
async def test_a_person_is_refused_whatever_the_number_of_sessions(
    ada: Any, bob: Any
) -> None:
    door = Door()
    adas = [await in_thread(new_key_of)(ada) for _ in range(2)]
    bobs = await in_thread(new_key_of)(bob)

    let_in = [await door.knock(key=adas[n % 2]) for n in range(LIMIT + 5)]

    assert let_in == [True] * LIMIT + [False] * 5
    assert await door.knock(key=bobs)


async def test_a_session_that_is_refused_is_not_even_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[Any] = []

    async def get(session: Any) -> None:
        session.clear()
        looked_up.append(session)

    monkeypatch.setattr(get_process().logins, "get", get)
    door = Door()

    let_in = [await door.knock(key="forged-key") for _ in range(LIMIT + 5)]

    assert let_in == [True] * LIMIT + [False] * 5
    assert len(looked_up) == LIMIT


@pytest.mark.django_db(transaction=True)
async def test_who_is_not_logged_in_is_counted_by_address_with_others() -> None:
    door = Door()
    most = LIMIT * VISITORS

    for _ in range(most - 5):
        assert await door.knock()
    # Other cookies make no other person of it.
    let_in = [await door.knock(key=f"forged-{n}") for n in range(10)]

    assert let_in == [True] * 5 + [False] * 5
    assert all(isinstance(user, AnonymousUser) for user in door.entered)
    assert await door.knock(address="192.0.2.2")


@pytest.mark.django_db(transaction=True)
async def test_the_log_names_them_once_and_no_session(
    ada: Any, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door()
    first, second = [await in_thread(new_key_of)(ada) for _ in range(2)]
    with caplog.at_level(logging.WARNING):
        for _ in range(LIMIT + 9):
            await door.knock(key="forged")
            await door.knock(key=first)
            await door.knock(key=second)

    assert caplog.messages == [f"Sockets are refused: user {ada.pk} opens too many."]


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
        ("", ""),
    ],
)
def test_who_has_many_addresses_is_one(client: str, name: str) -> None:
    assert network_of(client) == name
