"""Nobody enters who may not: who, from where, into which room, and what happens."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from baking import Project
from fleet import Fleet
from serving import HERE, Visitor
from websockets.exceptions import ConnectionClosed, InvalidStatus

SETUP = """
import json
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.utils import timezone
from apps.chat.models import Room
from apps.users.models import User

Room.objects.create(name="Secret", slug="secret", is_private=True)
own = Room.objects.create(name="Own", slug="own", is_private=True)
own.members.add(User.objects.get(username="ada"))
User.objects.filter(username="inactive").update(is_active=False)
User.objects.filter(username="gone").delete()
user = User.objects.get(username="changed")
user.set_password("another-horse-battery-7")
User.objects.bulk_update([user], ["password"])
expired = timezone.now() - timedelta(seconds=1)
Session.objects.filter(session_key={expired!r}).update(expire_date=expired)
print(json.dumps(None))
"""
DELETE = """
from apps.chat.models import Room

Room.objects.filter(slug="doomed").delete()
print("null")
"""
COUNT = """
from apps.chat.models import Message

print(Message.objects.count())
"""
NAMES = ("ada", "expired", "inactive", "gone", "changed")
FOREIGN = "https://evil.example"
REFUSED = 403  # the handshake itself


@pytest.fixture(scope="module")
def fleet(
    server_name: str,
    production: Project,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    database = tmp_path_factory.mktemp("entering") / "db.sqlite3"
    with ExitStack() as stack:
        fleet = Fleet(production, {"DATABASE_URL": f"sqlite:///{database}"}, stack)
        fleet.start(server_name)
        yield fleet
        fleet.assert_quiet()


@pytest.fixture(scope="module")
def people(fleet: Fleet) -> dict[str, Visitor]:
    """Everybody who has ever been logged in, and two who have not."""
    (server,) = fleet.servers
    people = dict(zip(NAMES, fleet.invite(server, *NAMES), strict=True))
    expired = people["expired"].session.cookies["sessionid"]
    fleet.ask(SETUP.format(expired=expired))
    people["nobody"] = Visitor(server)
    people["forger"] = Visitor(server)
    people["forger"].session.cookies.set("sessionid", "f" * 32)
    return people


def enter(visitor: Visitor, room: str, origin: str | None) -> tuple[int, list[str]]:
    """The status or close code that the answer is, and the frames before it.

    Says something at once, as one does who knows that time is short.
    """
    frames: list[str] = []
    try:
        with visitor.connect(f"/ws/chat/{room}/?after=0", origin=origin) as socket:
            with contextlib.suppress(ConnectionClosed):
                socket.send(json.dumps({"message": "sneaked in"}))
            try:
                while 'data-number="' not in "".join(frames):
                    frames.append(str(socket.recv(timeout=10)))
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006, frames
    except InvalidStatus as refusal:
        return refusal.response.status_code, frames
    return 200, frames


@pytest.mark.parametrize(
    ("who", "room", "origin", "answer"),
    [
        ("nobody", "lobby", HERE, 4401),
        ("forger", "lobby", HERE, 4401),
        ("expired", "lobby", HERE, 4401),
        ("inactive", "lobby", HERE, 4401),
        ("gone", "lobby", HERE, 4401),
        ("changed", "lobby", HERE, 4401),
        ("nobody", "secret", HERE, 4401),
        ("nobody", "no-such-room", HERE, 4401),
        ("ada", "secret", HERE, 4404),
        ("ada", "no-such-room", HERE, 4404),
        ("ada", "lobby%00", HERE, 4404),
        ("ada", "1", HERE, 4404),
        ("ada", "%27%20OR%201=1%20--", HERE, 4404),
        ("ada", "..%2fadmin", HERE, REFUSED),
        ("ada", "lobby/secret", HERE, REFUSED),
        ("ada", "lobby", FOREIGN, REFUSED),
        ("ada", "lobby", None, REFUSED),
        ("ada", "lobby", "null", REFUSED),
        ("ada", "lobby", "http://127.0.0.1.evil.example", REFUSED),
        ("ada", "lobby", "http://evil.example/127.0.0.1", REFUSED),
        ("ada", "lobby", "file://127.0.0.1", REFUSED),
        ("nobody", "lobby", FOREIGN, REFUSED),
    ],
)
def test_who_may_not_enter_is_refused(
    people: dict[str, Visitor],
    who: str,
    room: str,
    origin: str | None,
    answer: int,
) -> None:
    code, frames = enter(people[who], room, origin)
    assert code == answer
    assert frames == []


@pytest.mark.parametrize(
    ("path", "headers", "reason"),
    [
        ("/ws/chat/lobby/", {}, ""),
        ("/ws/chat/no-such-room/", {}, ""),  # its consumer says so, with a code
        ("/ws/chat/secret/", {}, ""),
        ("/ws/no-such-path/", {}, "unknown path"),
        ("/ws/chat/lobby/", {"X-Socket-Origin": FOREIGN}, "another origin"),
        ("/ws/chat/lobby/", {"Origin": FOREIGN}, "another origin"),
        ("/ws/no-such-path/", {"Origin": FOREIGN}, "another origin"),
    ],
)
def test_a_page_learns_why_it_is_refused_and_nothing_else(
    people: dict[str, Visitor], path: str, headers: dict[str, str], reason: str
) -> None:
    nobody = people["nobody"]
    url = nobody.server.url
    headers = {"X-Socket-Origin": url, **headers}
    answer = nobody.session.get(f"{url}{path}?after=0", headers=headers, timeout=20)
    assert answer.json() == {"reason": reason}
    assert "Access-Control-Allow-Origin" not in answer.headers
    # Who asks otherwise is answered by Django.
    assert nobody.get(path).status_code == 404


def test_nothing_that_they_said_was_stored(fleet: Fleet) -> None:
    assert fleet.ask(COUNT) == 0


def test_a_room_deleted_between_page_and_socket_is_no_more(
    fleet: Fleet, people: dict[str, Visitor]
) -> None:
    ada = people["ada"]
    assert ada.post("/chat/", name="doomed").ok
    fleet.ask(DELETE)
    assert enter(ada, "doomed", HERE) == (4404, [])


def test_who_may_enter_does(people: dict[str, Visitor]) -> None:
    for room in ("lobby", "own"):
        code, frames = enter(people["ada"], room, HERE)
        assert code == 200
        assert "sneaked in" in "".join(frames)
