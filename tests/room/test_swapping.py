"""Pages that are swapped into the document, by hx-boost or by a script of one's own."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import handmade
import pytest
from baking import Kitchen
from fleet import wait_until
from people import Person
from playwright.sync_api import Error, Request, Route, expect
from readmes import boost
from sites import CLIENTS, Site, serve_chat

Invite = Callable[..., Person]
ROOMS = ("attic", "cellar", "porch", "garden")
HEAD = """<script src="{% static 'swap.js' %}" defer></script>"""


@pytest.fixture(scope="module")
def chat(chat_client: str, kitchen: Kitchen) -> Iterator[Site]:
    def change(project: Path) -> None:
        if chat_client == "htmx":
            boost(project)
            handmade.add_to(project)
            return
        base = project / "templates" / "base.html"
        base.write_text(base.read_text().replace("</head>", HEAD + "</head>"))
        swap = Path(__file__).parents[1] / "support" / "swap.js"
        shutil.copy(swap, project / "static" / "swap.js")

    with serve_chat(kitchen, chat_client, change) as site:
        for room in ROOMS:
            site.fill(room, ("eve", f"welcome to the {room}"))
        yield site


def follow(person: Person, link: str) -> None:
    person.page.get_by_role("link", name=link).first.click()


def start(person: Person) -> None:
    """Come to the home page, and stay until its sockets are open.

    Of one that just opens when its page is left, the browser complains.
    """
    person.page.goto("/")
    expect(person.page.locator("#ping-state")).to_have_text("connected")
    expect(person.page.locator("live-region")).to_have_attribute("data-state", "live")


def leave(person: Person) -> None:
    """Follow the link to the list of rooms; it is not on it yet."""
    follow(person, "Chat")
    expect(person.page.locator("input[name=name]")).to_be_visible()


def enter(person: Person, room: str) -> None:
    """Follow the links of the site from elsewhere into a room."""
    leave(person)
    follow(person, room)
    expect(person.page).to_have_url(re.compile(f"/{room}/$"))
    person.is_online()


def open_sockets(site: Site) -> int:
    """How many sockets of rooms the server has."""
    said = re.findall(r"WebSocket /ws/chat/\S+/ (opened|closed)", site.server.log)
    return said.count("opened") - said.count("closed")


def assert_sockets(site: Site, expected: int) -> None:
    wait_until(lambda: open_sockets(site) == expected, f"there are {expected} sockets")


def test_rooms_can_be_left_and_entered_again(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    start(ada)
    ada.page.evaluate("window.isTheSame = true")
    said = ["welcome to the porch"]
    for number in range(3):
        enter(ada, "porch")
        assert_sockets(chat, 1)
        # Its styles were not loaded: they are in the head of its own page.
        expect(ada.page.get_by_text("Nothing was said here yet")).to_be_hidden()
        said.append(f"visit {number}")
        ada.field.fill(said[-1])
        ada.field.press("Enter")
        ada.sees(*said)
        if number:
            enter(ada, "garden")
            assert_sockets(chat, 1)
    ada.sees("welcome to the garden")
    leave(ada)
    assert_sockets(chat, 0)
    assert ada.page.evaluate("isTheSame") is True


def test_what_others_say_arrives_once(invite: Invite, chat: Site) -> None:
    ada, bob = invite("ada"), invite("bob")
    bob.visit("cellar")
    start(ada)
    for _ in range(2):
        enter(ada, "cellar")
    before = ada.messages.count()
    bob.field.press_sequentially("x")
    expect(ada.page.locator("#typing")).to_have_text("bob is typing…")
    bob.field.press("Enter")
    expect(ada.messages).to_have_count(before + 1)
    expect(ada.page.locator(".pending")).to_have_count(0)
    ada.page.wait_for_timeout(500)
    expect(ada.messages).to_have_count(before + 1)
    assert_sockets(chat, 2)


def test_all_scripts_may_be_loaded_twice(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    for path in ("/chat/attic/", "/"):
        ada.page.goto(path)
        expect(ada.page.locator("[role=status]").first).to_have_text(
            re.compile("online|connected", re.I)
        )
        if path == "/":
            expect(ada.page.locator("live-region")).to_have_attribute(
                "data-state", "live"
            )
        opened = chat.server.log.count("/ws/chat/attic/ opened")
        pages = chat.server.log.count("/ws/live/ opened")
        ada.page.evaluate(
            """async () => {
              const ours = "body > script, script[src*='channels_live/']";
              for (const { src, dataset } of document.querySelectorAll(ours)) {
                const script = document.createElement("script");
                script.src = src;
                Object.assign(script.dataset, dataset);
                const loaded = new Promise((go) => (script.onload = go));
                document.body.append(script);
                await loaded;
              }
            }"""
        )
        if path == "/":
            people = ada.page.locator("live-region strong")
            count = int(people.inner_text())
            chat.settle(f"{chat.client}-twice")
            expect(people).to_have_text(str(count + 1))
            assert chat.server.log.count("/ws/live/ opened") == pages
            continue
        before = ada.messages.count()
        ada.say("once")
        expect(ada.messages.last).to_contain_text("once")
        ada.page.wait_for_timeout(500)
        expect(ada.messages).to_have_count(before + 1)
        # The room was not started again.
        assert chat.server.log.count("/ws/chat/attic/ opened") == opened
        assert_sockets(chat, 1)
        leave(ada)
        assert_sockets(chat, 0)


def test_the_home_page_comes_to_life_again(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    start(ada)
    for _ in range(2):
        expect(ada.page.locator("#ping-state")).to_have_text("connected")
        expect(ada.page.locator("#ping-detail")).to_contain_text("ms")
        leave(ada)
        ada.page.locator("a.brand").click()


@pytest.mark.parametrize("chat_client", ["htmx"], scope="module")
def test_the_admin_has_its_own_styles(invite: Invite) -> None:
    margaret = invite("margaret")
    start(margaret)
    follow(margaret, "Admin")
    assert_admin(margaret)
    # And after a login on the way there.
    margaret.context.clear_cookies()
    margaret.page.goto("/accounts/login/?next=/admin/")
    margaret.sign_in("margaret")
    assert_admin(margaret)


def assert_admin(person: Person) -> None:
    expect(person.page.locator("#site-name")).to_be_visible()
    styles = person.page.locator("link[href*='admin/css/base']")
    expect(styles).to_have_count(1)


@pytest.mark.parametrize("chat_client", ["htmx"], scope="module")
def test_a_form_that_is_refused_says_why(invite: Invite) -> None:
    ada = invite("ada")
    # With DEBUG, it would show Django's own pages.
    ada.page.route("**/django-htmx*.js*", lambda route: route.fulfill(body=""))
    ada.page.goto("/accounts/email/")
    ada.page.evaluate("window.isTheSame = true")
    ada.context.clear_cookies()
    ada.page.get_by_role("button", name="Sign Out").click()
    expect(ada.page.locator("h1")).to_have_text("This form has expired")
    assert ada.page.evaluate("isTheSame") is True
    ada.complaints.clear()


@pytest.mark.parametrize("chat_client", ["htmx"], scope="module")
def test_after_a_logout_no_page_of_before_is_shown(invite: Invite, chat: Site) -> None:
    chat.settle("lea")
    lea = invite("lea")
    lea.page.goto("/accounts/email/")
    leave(lea)
    lea.page.get_by_role("button", name="Sign Out").click()
    expect(lea.page.get_by_role("link", name="Sign In").first).to_be_visible()
    for path in ("/chat/", "/accounts/email/"):
        lea.page.evaluate("history.back()")
        expect(lea.page).to_have_url(re.compile(rf"/accounts/login/\?next={path}$"))
        expect(lea.page.get_by_role("heading", name="Sign In")).to_be_visible()
    expect(lea.page.get_by_role("button", name="Sign Out")).to_have_count(0)
    lea.complaints.clear()  # of a socket that just opened when its page was left


@pytest.mark.parametrize("chat_client", CLIENTS, scope="module")
def test_regions_come_and_go_with_pages(invite: Invite, chat: Site) -> None:
    ada, bob = invite("ada"), invite("bob")
    for person in (ada, bob):
        start(person)
    region, bobs = (one.page.locator("live-region") for one in (ada, bob))
    for number in range(2):
        for each in (region, bobs):
            expect(each).to_have_attribute("data-state", "live")
        count = int(region.locator("strong").inner_text())
        chat.settle(f"{chat.client}-{number}")
        for each in (region, bobs):
            expect(each.locator("strong")).to_have_text(str(count + 1))
        enter(ada, "attic")
        expect(region).to_have_count(0)
        ada.page.locator("a.brand").click()
    expect(region).to_have_attribute("data-state", "live")


# The script that swaps pages here leaves the browser's history alone.
@pytest.mark.parametrize("chat_client", ["htmx"], scope="module")
def test_the_back_button_leads_into_a_live_room(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    start(ada)
    enter(ada, "attic")
    before = ada.messages.count()
    leave(ada)
    ada.page.evaluate("history.back()")
    ada.is_online()
    ada.field.fill("back")
    ada.field.press("Enter")
    expect(ada.messages).to_have_count(before + 1)
    assert_sockets(chat, 1)


@contextmanager
def late_list_of_rooms(person: Person) -> Iterator[None]:
    """During the block, the page that "Chat" leads to has no answer."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    person.page.route("**/chat/", hold)
    yield
    for route in held:
        with suppress(Error):  # the browser has given it up
            route.continue_()
    person.page.unroute("**/chat/")
    person.page.wait_for_timeout(500)


@pytest.mark.parametrize("chat_client", ["htmx"], scope="module")
def test_two_steps_back_in_a_moment_lead_two_pages_back(invite: Invite) -> None:
    ada = invite("ada")
    start(ada)
    enter(ada, "attic")
    with late_list_of_rooms(ada):
        ada.page.evaluate("history.back(), setTimeout(() => history.back(), 200)")
        expect(ada.page.locator("#ping-state")).to_be_visible()
    expect(ada.page.locator("#ping-state")).to_be_visible()
    expect(ada.page).to_have_url(re.compile(r":\d+/$"))
    ada.complaints.clear()  # of a socket that just opened when its page was left


@pytest.mark.parametrize("chat_client", ["htmx"], scope="module")
def test_the_last_click_counts_where_documented(invite: Invite) -> None:
    ada = invite("ada")
    start(ada)
    ada.page.evaluate("document.body.setAttribute('hx-sync', 'this:replace')")
    with late_list_of_rooms(ada):
        follow(ada, "Chat")
        follow(ada, "ada")
        expect(ada.page).to_have_url(re.compile("/accounts/email/$"))
    expect(ada.page).to_have_url(re.compile("/accounts/email/$"))
    expect(ada.page.locator("input[name=name]")).to_be_hidden()
    ada.complaints.clear()  # HTMX tells of what it cancels


@pytest.mark.parametrize("chat_client", ["htmx"], scope="module")
def test_a_stream_ends_with_its_page_and_its_login(invite: Invite, chat: Site) -> None:
    def is_stream(request: Request) -> bool:
        return request.url.endswith("/stream/")

    def starts() -> int:
        return chat.server.log.count("GET /stream/ ")

    chat.settle("lou")
    lou = invite("lou")
    stream = lou.page.locator("[data-stream]")
    for _ in range(2):
        lou.page.goto("/handmade/")
        expect(stream).to_have_text(re.compile(r"\d"))
        count = int(stream.inner_text())
        chat.fill("porch", ("eve", "one more"))
        expect(stream).to_have_text(str(count + 1))
        with lou.page.expect_event("requestfailed", is_stream):
            leave(lou)
    lou.page.goto("/handmade/")
    expect(stream).to_have_text(re.compile(r"\d"))
    another = lou.new_tab()
    another.goto("/accounts/email/")
    another.get_by_role("button", name="Sign Out").click()
    wait_until(lambda: "GET /stream/ 204" in chat.server.log, "it comes back once")
    assert starts() == 4
    lou.page.wait_for_timeout(4_000)  # longer than browsers wait to come back
    assert starts() == 4


@pytest.mark.parametrize("chat_client", ["htmx"], scope="module")
def test_a_page_does_not_hear_a_plain_consumers_answer_to_ping(invite: Invite) -> None:
    ada = invite("ada")
    for _ in range(2):
        ada.page.goto("/handmade/")
        heard = ada.page.locator("[data-socket]")
        expect(heard).to_have_text("HELLO")
        assert heard.get_attribute("title") == "online"
        leave(ada)
