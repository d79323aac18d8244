"""Many people sign up, or log in, at the same moment."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from baking import Variables
from fleet import Fleet
from serving import PASSWORD, Visitor

SIGN_UP = "/accounts/signup/"
AT_ONCE = 8
SHARING = 16  # accounts
LOGINS = 10  # as many as an address may try in a minute
QUICK = 3  # seconds, on a machine that does other things too
NAMED = """
from apps.users.models import User

print(User.objects.filter(username__iexact="same").count())
"""
SHARE = """
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from apps.users.models import User

password = make_password("something-else")
for number in range({count}):
    name, email = f"sharing-{{number}}", "shared@example.org"
    user = User.objects.create(username=name, email=email, password=password)
    EmailAddress.objects.create(user=user, email=email)
print("null")
"""


def test_of_many_who_take_a_name_at_once_one_has_it(
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    redis_url: str,
    server_name: str,
) -> None:
    fleet = launch({**postgres, "REDIS_URL": redis_url})
    server = fleet.start(server_name)
    everybody = Barrier(AT_ONCE, timeout=20)

    def sign_up(_: int) -> int:
        visitor = Visitor(server)
        visitor.get(SIGN_UP)
        token = str(visitor.session.cookies["csrftoken"])
        everybody.wait()
        answer = visitor.session.post(
            server.url + SIGN_UP,
            {"username": "same", "password1": PASSWORD, "password2": PASSWORD},
            headers={"Referer": server.url, "X-CSRFToken": token},
            allow_redirects=False,
            timeout=20,
        )
        return answer.status_code

    with ThreadPoolExecutor(AT_ONCE) as threads:
        codes = sorted(threads.map(sign_up, range(AT_ONCE)))
    assert codes == [200] * (AT_ONCE - 1) + [302]
    assert fleet.ask(NAMED) == 1
    fleet.assert_quiet()


def test_an_address_that_many_share_holds_nobody_up(
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    redis_url: str,
    server_name: str,
    note: Callable[[str], None],
) -> None:
    fleet = launch({**postgres, "REDIS_URL": redis_url})
    server = fleet.start(server_name)
    [ada] = fleet.invite(server, "ada")
    fleet.ask(SHARE.format(count=SHARING))
    fields = {"login": "shared@example.org", "password": "guess"}

    def log_in(_: int) -> int:
        return Visitor(server).post("/accounts/login/", **fields).status_code

    took: list[float] = []
    began = time.monotonic()
    with ThreadPoolExecutor(LOGINS) as threads:
        logins = [threads.submit(log_in, number) for number in range(LOGINS)]
        while not all(login.done() for login in logins):
            start = time.monotonic()
            assert ada.get("/chat/").ok
            took.append(time.monotonic() - start)
    logged_in = time.monotonic() - began
    assert {login.result() for login in logins} == {200}
    note(
        f"{server_name}: {LOGINS} wrong logins at once with an address that {SHARING} "
        f"accounts share were answered within {logged_in:.1f} s, and pages meanwhile "
        f"within {max(took):.2f} s"
    )
    assert max(took) < QUICK
    fleet.assert_quiet()
