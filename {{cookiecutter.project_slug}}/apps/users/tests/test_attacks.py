"""What somebody tries who is after other people's accounts."""

import re
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.contrib.auth import get_user
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from pytest_django.asserts import assertContains, assertRedirects

from apps.users.accounts import KNOWN, SignupForm
from apps.users.models import User
from channels_live.utils import absolute_url

PASSWORD = "Engines-weave-algebra-1"
NEW_PASSWORD = "Looms-weave-flowers-2"
LOGIN = reverse("account_login")
TOO_MANY = 429
STOPPED = "Too many failed login attempts"
# Tries with one name: from one address, and from all together, where it is 100.
TRIES = 5
TRIES_ELSEWHERE = 7

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fewer_tries(settings: Settings) -> None:
    elsewhere = {"login_failed_elsewhere": f"{TRIES_ELSEWHERE}/d/key"}
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | elsewhere


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.com", PASSWORD)


def is_signed_in(client: Client, password: str) -> bool:
    client.post(LOGIN, {"login": "ada", "password": password})
    return get_user(client).is_authenticated


def guess_from_everywhere(login: str = "ada") -> list[str]:
    """Guess once more than may be; the pages that come."""
    fields = {"login": login, "password": "guess"}
    return [
        Client(REMOTE_ADDR=f"198.51.100.{number}").post(LOGIN, fields).text
        for number in range(TRIES_ELSEWHERE + 1)
    ]


def test_passwords_cannot_be_guessed_for_long(ada: User) -> None:
    for number in range(TRIES):
        assert not is_signed_in(Client(), f"guess {number}")

    assert not is_signed_in(Client(), PASSWORD)


def test_guessing_locks_out_whoever_guesses_and_not_the_owner(ada: User) -> None:
    for number in range(TRIES + 1):
        assert not is_signed_in(Client(REMOTE_ADDR="192.0.2.1"), f"guess {number}")

    assert is_signed_in(Client(REMOTE_ADDR="192.0.2.2"), PASSWORD)


@pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.com", "nobody"])
def test_guesses_from_many_addresses_are_stopped_whoever_they_name(
    ada: User, login: str
) -> None:
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True)

    *others, last = guess_from_everywhere(login)

    assert STOPPED in last
    assert STOPPED not in "".join(others)
    late = Client().post(LOGIN, {"login": login.lower(), "password": PASSWORD})
    assertContains(late, STOPPED)


@pytest.fixture
def own(ada: User) -> Client:
    """A browser in which Ada has logged in, and Bob after her."""
    own = Client()
    assert is_signed_in(own, PASSWORD)
    own.post(reverse("account_logout"))
    own.post(reverse("account_signup"), sign_up("bob"))
    own.post(reverse("account_logout"))
    return own


def test_the_owner_gets_in_by_a_browser_that_is_known(own: Client) -> None:
    guess_from_everywhere()
    for number in range(TRIES + 1):  # beside the owner
        assert not is_signed_in(Client(), f"guess {number}")

    assert own.cookies[KNOWN]["httponly"]
    assert is_signed_in(own, PASSWORD)


def test_a_browser_that_is_known_has_a_limit_too(own: Client) -> None:
    for number in range(TRIES):
        own.defaults["REMOTE_ADDR"] = f"198.51.100.{number}"
        assert not is_signed_in(own, f"guess {number}")

    assert not is_signed_in(own, PASSWORD)
    assert is_signed_in(Client(REMOTE_ADDR="192.0.2.2"), PASSWORD)


def test_a_browser_is_known_to_nobody_else_and_not_by_its_word(own: Client) -> None:
    guess_from_everywhere("eve")
    stopped = own.post(LOGIN, {"login": "eve", "password": "guess"})
    assertContains(stopped, STOPPED)

    guess_from_everywhere()
    own.cookies[KNOWN] = own.cookies[KNOWN].value.swapcase()
    assert not is_signed_in(own, PASSWORD)


def test_logins_that_succeed_count_for_nothing(ada: User) -> None:
    for number in range(TRIES_ELSEWHERE + 1):
        client = Client(REMOTE_ADDR=f"198.51.100.{number}")
        assert is_signed_in(client, PASSWORD)


class SlowHasher(MD5PasswordHasher):
    """Counts what costs time in production, and connections held meanwhile."""

    algorithm = "counting"
    hashes = 0
    connections = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).hashes += 1
        type(self).connections += connection.connection is not None
        return super().encode(password, salt)


@pytest.mark.parametrize(
    "login",
    ["ada", "ada@example.com", "shared@example.com", "nobody", "no@example.com"],
)
def test_a_wrong_login_costs_one_hash_whoever_it_names(
    settings: Settings, login: str
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.SlowHasher"]
    ada = User.objects.create_user("ada", "ada@example.com", PASSWORD)
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True)
    for number in range(16):
        other = User.objects.create_user(f"o{number}", "shared@example.com", "x")
        EmailAddress.objects.create(user=other, email=other.email)
    SlowHasher.hashes = 0

    Client().post(LOGIN, {"login": login, "password": "wrong"})

    assert SlowHasher.hashes == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", ["account_login", "account_signup"])
def test_no_connection_is_held_while_a_hash_is_made(
    settings: Settings, page: str
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.SlowHasher"]
    SlowHasher.hashes = SlowHasher.connections = 0

    Client().post(
        reverse(page), {"login": "ada", "password": "wrong", **sign_up("ada")}
    )

    assert (SlowHasher.hashes, SlowHasher.connections) == (1, 0)


def test_an_address_is_whose_who_has_proven_it(ada: User) -> None:
    mine = User.objects.create_user("mine", "ada@example.com", PASSWORD)
    login = {"login": "ada@example.com", "password": PASSWORD}
    client = Client()

    client.post(LOGIN, login)
    assert not get_user(client).is_authenticated

    EmailAddress.objects.create(user=mine, email=mine.email, verified=True)
    client.post(LOGIN, login)
    assert get_user(client) == mine


def test_a_name_that_looks_like_an_address_is_no_way_to_it(ada: User) -> None:
    EmailAddress.objects.create(user=ada, email=ada.email, verified=True)
    User.objects.create_user(ada.email, password=NEW_PASSWORD)
    client = Client()

    client.post(LOGIN, {"login": ada.email, "password": PASSWORD})

    assert get_user(client) == ada


# A Cyrillic letter, wide ones, an accent, a space without width; an address.
@pytest.mark.parametrize(
    "name", ["\u0430da", "\uff41\uff44\uff41", "ad\xe1", "ada\u200b", "ada@example.com"]
)
def test_names_that_look_alike_are_refused(name: str) -> None:
    answer = Client().post(reverse("account_signup"), sign_up(name))

    assertContains(answer, "Enter a valid username")
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_name_that_was_taken_a_moment_ago_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def take(form: SignupForm, request: object) -> None:
        User.objects.create_user("ada")
        User.objects.create_user("ada")  # as two requests at once

    monkeypatch.setattr(SignupForm, "save", take)

    answer = Client().post(reverse("account_signup"), sign_up("ada"))

    assertContains(answer, "A user with that username already exists")


@pytest.mark.django_db(transaction=True)
def test_a_name_that_differs_in_case_was_taken_too(
    monkeypatch: pytest.MonkeyPatch, ada: User
) -> None:
    # As a request that looked a moment before Ada was there.
    clean = "allauth.account.adapter.DefaultAccountAdapter.clean_username"
    monkeypatch.setattr(clean, lambda adapter, username, shallow=False: username)

    answer = Client().post(reverse("account_signup"), sign_up("ADA"))

    assertContains(answer, "A user with that username already exists")
    assert is_signed_in(Client(), PASSWORD)


def sign_up(name: str) -> dict[str, str]:
    return {"username": name, "password1": PASSWORD, "password2": PASSWORD}


@pytest.mark.parametrize("port", [":1337", ":443", "."])
def test_links_in_emails_lead_to_the_site(ada: User, port: str) -> None:
    headers = {"Host": f"localhost{port}"}

    Client().post(
        reverse("account_reset_password"), {"email": ada.email}, headers=headers
    )

    (message,) = mail.outbox
    (link,) = re.findall(r"https?://\S+/password/reset/\S+", str(message.body))
    assert link.startswith(absolute_url("/"))


def test_the_admin_has_no_login_of_its_own(ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    page = reverse("admin:users_user_changelist")
    login = reverse("admin:login")

    response = Client().get(page, follow=True)
    assert urlsplit(response.redirect_chain[-1][0]).path == LOGIN

    client = Client()
    response = client.post(login, {"username": "ada", "password": PASSWORD})
    assert urlsplit(response.headers["Location"]).path == LOGIN
    assert not get_user(client).is_authenticated


@pytest.mark.parametrize(
    ("addresses", "statuses"),
    [
        # What a visitor claims makes no difference; what apps.ops.proxy believes does.
        (["192.0.2.9", "192.0.2.9"], [200, TOO_MANY]),
        (["192.0.2.8", "192.0.2.9"], [200, 200]),
    ],
)
def test_another_address_cannot_be_claimed(
    settings: Settings, addresses: list[str], statuses: list[int]
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}

    answers = [
        Client(REMOTE_ADDR=address).post(
            LOGIN, {"login": "x"}, headers={"X-Forwarded-For": f"192.0.2.{number}"}
        )
        for number, address in enumerate(addresses)
    ]

    assert [answer.status_code for answer in answers] == statuses
    if TOO_MANY in statuses:
        assertContains(answers[1], "Wait a moment", status_code=TOO_MANY)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "http:///evil.example",
    ],
)
def test_signing_in_and_out_leads_to_no_other_site(ada: User, address: str) -> None:
    client = Client()
    fields = {"login": "ada", "password": PASSWORD, "next": address}

    assertRedirects(client.post(LOGIN, fields), reverse("home"))
    response = client.post(reverse("account_logout"), {"next": address})
    assertRedirects(response, reverse("home"))


def test_a_session_from_before_the_login_is_worth_nothing(ada: User) -> None:
    client = Client()
    session = client.session
    session["planted"] = "yes"
    session.save()
    key = session.session_key or ""
    client.cookies[django_settings.SESSION_COOKIE_NAME] = key

    assert is_signed_in(client, PASSWORD)

    assert client.session.session_key != key
    assert not type(session)().exists(key)


def test_signing_up_does_not_tell_whose_address_is_known(ada: User) -> None:
    answers = []
    for number, email in enumerate(["ada@example.com", "new@example.com"]):
        fields = {
            "username": f"eve{number}",
            "email": email,
            "password1": PASSWORD,
            "password2": PASSWORD,
        }
        answers.append(Client().post(reverse("account_signup"), fields))

    assert answers[0].status_code == answers[1].status_code
    assert answers[0].headers.get("Location") == answers[1].headers.get("Location")


def test_a_reset_link_is_good_once_and_for_an_hour(
    ada: User, settings: Settings
) -> None:
    Client().post(reverse("account_reset_password"), {"email": ada.email})
    [message] = mail.outbox
    link = next(
        urlsplit(word).path for word in str(message.body).split() if "/key/" in word
    )
    client = Client()
    form = client.get(link, follow=True).request["PATH_INFO"]
    guess_from_everywhere()
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert get_user(client) == ada  # whatever others have tried
    client.post(reverse("account_logout"))
    assert is_signed_in(client, NEW_PASSWORD)
    assertContains(Client().get(link, follow=True), "invalid")
    assert settings.PASSWORD_RESET_TIMEOUT == 60 * 60
