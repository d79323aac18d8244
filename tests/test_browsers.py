"""Two people chat in real browsers; a third, in another room, sees nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from baking import TEMPLATE, Kitchen
from playwright.sync_api import Browser, Page, expect
from serving import PASSWORD, Server, free_port, serve

CONNECTED = re.compile(r"[Cc]onnected, \d+ ms")
SCREENSHOTS = TEMPLATE / "screenshots"


@pytest.fixture(scope="module", params=["htmx", "javascript"])
def site(request: pytest.FixtureRequest, kitchen: Kitchen) -> Iterator[Server]:
    project = kitchen.bake({"chat_client": request.param, "project_name": "Bob's Café"})
    project.manage("migrate")
    port = free_port()
    command = [str(project.python), "manage.py", "runserver", "--noreload"]
    command.append(f"127.0.0.1:{port}")
    with serve(command, cwd=project.path, port=port) as server:
        yield server
        assert "Traceback" not in server.log, server.log


@pytest.fixture
def client(request: pytest.FixtureRequest) -> str:
    """The `chat_client` of the site under test."""
    return str(request.node.callspec.params["site"])


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, browser: Browser, server: Server, name: str) -> None:
        context = browser.new_context(
            base_url=server.url, viewport={"width": 900, "height": 700}
        )
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self.hear)
        self.page.goto("/accounts/signup/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=email]", f"{name}@example.org")
        self.page.fill("input[name=password1]", PASSWORD)
        self.page.fill("input[name=password2]", PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page).not_to_have_url(f"{server.url}/accounts/signup/")

    def hear(self, message: object) -> None:
        if getattr(message, "type", "") in {"error", "warning"}:
            self.complaints.append(str(message))

    def enter(self, room: str) -> None:
        """Type the room's name into the focused field and press Enter."""
        self.page.goto("/chat/")
        expect(self.page.locator("input[name=name]")).to_be_focused()
        self.page.keyboard.type(room)
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(re.compile(f"/chat/{room}/$"))
        expect(self.page.locator("textarea[name=message]")).to_be_focused()

    def say(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def sees(self, *texts: str) -> None:
        """The messages on the page are these, in this order."""
        shown = self.page.locator("#messages li")
        expect(shown).to_have_count(len(texts), timeout=10_000)
        for position, text in enumerate(texts):
            expect(shown.nth(position)).to_contain_text(text)

    def photograph(self, name: str) -> None:
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_two_people_chat_and_a_third_elsewhere_sees_nothing(
    browser: Browser, site: Server, client: str
) -> None:
    ada, bob, eve = (Person(browser, site, name) for name in ("ada", "bob", "eve"))
    ada.enter("lobby")
    bob.enter("lobby")
    eve.enter("elsewhere")
    ada.say("Hello, Bob!")
    bob.sees("Hello, Bob!")
    ada.sees("Hello, Bob!")
    bob.say('<script>alert("x")</script> & 日本 😀')
    ada.sees("Hello, Bob!", '<script>alert("x")</script> & 日本 😀')
    expect(ada.page.locator("textarea[name=message]")).to_have_value("")
    expect(ada.page.locator("textarea[name=message]")).to_be_focused()
    eve.sees()
    for person, name in ((ada, "ada"), (eve, "elsewhere")):
        person.photograph(f"{client}-{name}")
    ada.page.goto("/chat/")
    ada.photograph(f"{client}-rooms")
    # Whoever comes later reads it from the database.
    eve.enter("lobby")
    eve.sees("Hello, Bob!", "<script>")
    assert ada.complaints + bob.complaints + eve.complaints == []


def test_a_page_of_localhost_reaches_its_socket_too(
    browser: Browser, site: Server
) -> None:
    """The cookie is of the host in the address bar, and so must the socket be."""
    there = Server(site.url.replace("127.0.0.1", "localhost"), site.logfile)
    person = Person(browser, there, "grace")
    person.enter("local")
    person.say("through localhost")
    person.sees("through localhost")
    assert person.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_small_screen(
    browser: Browser, site: Server, client: str, scheme: str
) -> None:
    person = Person(browser, site, f"small-{scheme}")
    person.page.set_viewport_size({"width": 320, "height": 640})
    person.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    pages = {"home": "/", "rooms": "/chat/", "room": "/chat/"}
    pages["logout"] = "/accounts/logout/"
    for name, path in pages.items():
        person.page.goto(path)
        if name == "room":
            person.enter(f"small-{scheme}")
            person.say("a-word-that-is-much-longer-than-a-small-screen-is-wide " * 2)
            person.sees("a-word-that-is")
        if name == "home":
            expect(person.page.locator("main")).to_contain_text(CONNECTED)
        width = person.page.evaluate("document.documentElement.scrollWidth")
        person.photograph(f"{client}-320-{scheme}-{name}")
        assert width <= 320, name
    assert person.complaints == []


def test_the_home_page_shows_a_live_round_trip(
    browser: Browser, kitchen: Kitchen
) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    project.manage("migrate")
    port = free_port()
    command = [str(project.python), "manage.py", "runserver", "--noreload"]
    command.append(f"127.0.0.1:{port}")
    with serve(command, cwd=project.path, port=port) as server:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.locator("main")).to_contain_text(CONNECTED)
        page.screenshot(path=SCREENSHOTS / "home.png")
    # The page notices that the server is gone.
    expect(page.locator("main")).not_to_contain_text(CONNECTED, timeout=15_000)


def test_screenshots_are_not_committed() -> None:
    ignored = (TEMPLATE / ".gitignore").read_text().splitlines()
    assert f"{Path(SCREENSHOTS).name}/" in ignored
