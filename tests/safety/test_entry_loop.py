"""Who opens sockets in a loop is refused, and comes back; others notice little."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from baking import Variables
from fleet import Fleet, wait_until
from people import Person
from playwright.sync_api import Browser, Route, expect
from serving import HERE, Visitor
from websockets.exceptions import InvalidStatus, WebSocketException

# As far back as a page may have stayed away: hundreds of messages each time.
ROOM = "/ws/chat/lobby/?after=0"
FILL = """
import uuid
from apps.chat.models import Message, Room
from apps.users.models import User

room, ada = Room.objects.get(slug="lobby"), User.objects.get(username="ada")
Message.objects.bulk_create(
    Message(room=room, author=ada, text=f"line {n}", number=n, client_id=uuid.uuid4())
    for n in range(1, 601)
)
Room.objects.update(last_number=600)
print("null")
"""
LOOPS = 6
ENOUGH = 60  # refusals
LONGEST = 8  # seconds
# What one person may open within ten seconds.
ALLOWED = 10


class Loop(threading.Thread):
    """Opens a socket, closes it, and opens the next one."""

    def __init__(self, visitor: Visitor, answers: Counter[str]) -> None:
        super().__init__(daemon=True)
        self.visitor = visitor
        self.answers = answers

    def run(self) -> None:
        end = time.monotonic() + LONGEST
        while self.answers["403"] < ENOUGH and time.monotonic() < end:
            self.answers[enter(self.visitor)] += 1


def enter(visitor: Visitor) -> str:
    """Open a socket and close it. Returns what became of it."""
    try:
        with visitor.connect(ROOM, origin=HERE) as socket:
            socket.recv(timeout=5)
    except InvalidStatus as refusal:
        return str(refusal.response.status_code)
    except (WebSocketException, OSError):
        return "lost"
    return "let in"


def use_up(visitor: Visitor) -> None:
    """Open all the sockets of a window that begins now."""
    wait_until(lambda: enter(visitor) == "let in", "a window begins")
    wait_until(lambda: enter(visitor) == "403", "its sockets are used up")


def ping(visitor: Visitor, until: Callable[[], bool]) -> list[float]:
    """How long the server takes to echo, in milliseconds, one after the other."""
    times = []
    with visitor.connect("/ws/ping/") as socket:
        while not until():
            start = time.perf_counter()
            socket.send("x")
            socket.recv(timeout=10)
            times.append((time.perf_counter() - start) * 1000)
            time.sleep(0.06)  # within what a socket may send
    return sorted(times)


def test_a_loop_is_stopped_and_its_page_comes_back(
    launch: Callable[[Variables], Fleet],
    sqlite: dict[str, str],
    browser: Browser,
    note: Callable[[str], None],
) -> None:
    fleet = launch({**sqlite, "WEBSOCKET_SOCKETS_PER_SECOND": str(ALLOWED // 10)})
    server = fleet.start("daphne")
    eve, ada = fleet.invite(server, "eve", "ada")
    fleet.ask(FILL)
    answers: Counter[str] = Counter()
    loops = [Loop(eve, answers) for _ in range(LOOPS)]
    for loop in loops:
        loop.start()
    times = ping(ada, until=lambda: not any(loop.is_alive() for loop in loops))

    assert set(answers) == {"let in", "403"}
    assert answers["let in"] <= 2 * ALLOWED  # in two windows of ten seconds
    assert answers["403"] >= ENOUGH
    note(
        f"{LOOPS} loops of one person: {answers['let in']} sockets let in, "
        f"{answers['403']} refused; meanwhile, pings of another took "
        f"{times[len(times) // 2]:.1f} ms in the middle, {times[-1]:.0f} ms at most"
    )

    # Eve's own page is refused as well, says so, and needs no hand to come back.
    session = eve.session.cookies["sessionid"]
    person = Person(browser, server.url, session=session)

    def open_late(route: Route) -> None:
        use_up(eve)
        route.continue_()

    person.page.route("**/socket*.js", open_late, times=1)
    person.page.goto("/chat/lobby/")
    expect(person.status).to_have_text("Too many connections, waiting …")
    person.is_online()
    person.context.close()
    fleet.assert_quiet()
