"""The mail server accepts connections and says nothing: nobody waits for it."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from baking import Variables
from fleet import Fleet, terminate, wait_until
from serving import Visitor

FORMS = 12
QUICK = 6  # seconds; who waited for the mail server would wait ten
PEOPLE = """
from apps.users.models import User
User.objects.bulk_create(
    User(username=f"u{n}", email=f"u{n}@example.org") for n in range(12)
)
"""
WAITING = """
import json
from django_ox.models import OxTask
print(json.dumps([task.attempts for task in OxTask.objects.filter(queue_name="mail")]))
"""


def test_a_dozen_resets_hold_up_neither_pages_nor_sockets(
    server_name: str,
    launch: Callable[[Variables], Fleet],
    postgres: Variables,
    note: Callable[[str], None],
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=100) as mail,
        ThreadPoolExecutor(FORMS) as pool,
    ):
        port = mail.getsockname()[1]
        fleet = launch({**postgres, "EMAIL_URL": f"smtp://127.0.0.1:{port}"})
        fleet.shell.run(PEOPLE)
        server = fleet.start(server_name)
        [ada] = fleet.invite(server, "ada")

        def look_and_connect() -> None:
            assert ada.get("/chat/").ok
            with ada.connect("/ws/chat/lobby/?after=0") as page:
                page.recv(timeout=20)

        look_and_connect()  # all that is loaded once is
        forms = [pool.submit(reset, Visitor(server), n) for n in range(FORMS)]
        took: list[float] = []
        while not all(form.done() for form in forms) or len(took) < 5:
            start = time.monotonic()
            look_and_connect()
            took.append(time.monotonic() - start)
        assert [form.result() for form in forms] == [200] * FORMS
        wait_until(lambda: sum(fleet.ask(WAITING)), "one is tried")
        assert len(fleet.ask(WAITING)) == FORMS
        fleet.assert_quiet()
        _, end = terminate(server)
    assert max(took) < QUICK
    assert end < QUICK
    note(
        f"mail server hangs, {FORMS} anonymous reset forms: pages and sockets took "
        f"{max(took):.1f} s at most, and all messages wait"
    )


def reset(visitor: Visitor, number: int) -> int:
    path = "/accounts/password/reset/"
    return visitor.post(path, email=f"u{number}@example.org").status_code
