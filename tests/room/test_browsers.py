"""Two people chat in real browsers; a third, in another room, sees nothing."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from baking import TEMPLATE, Kitchen
from people import SCREENSHOTS, Person
from playwright.sync_api import Browser, expect
from serving import free_port, serve
from sites import Site, runserver

CONNECTED = re.compile(r"[Cc]onnected, \d+ ms")


@pytest.fixture
def sign_up(browser: Browser, chat: Site) -> Iterator[Callable[..., Person]]:
    """Brings somebody new, who has nothing to complain of in the end."""
    people: list[Person] = []

    def sign_up(name: str, host: str = "127.0.0.1") -> Person:
        url = chat.server.url.replace("127.0.0.1", host)
        people.append(Person(browser, url))
        people[-1].sign_up(name)
        return people[-1]

    yield sign_up
    for person in people:
        person.context.close()
    assert [person.complaints for person in people if person.complaints] == []


def test_two_people_chat_and_a_third_elsewhere_sees_nothing(
    sign_up: Callable[..., Person], chat: Site
) -> None:
    # Nobody who is settled at the site already.
    ada, bob, eve = (sign_up(name) for name in ("ann", "ben", "eva"))
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
        person.photograph(f"{chat.client}-{name}")
    ada.page.goto("/chat/")
    ada.photograph(f"{chat.client}-rooms")
    # Whoever comes later reads it from the database.
    eve.enter("lobby")
    eve.sees("Hello, Bob!", "<script>")


def test_a_page_of_localhost_reaches_its_socket_too(
    sign_up: Callable[..., Person],
) -> None:
    """The cookie is of the host in the address bar, and so must the socket be."""
    person = sign_up("gwen", "localhost")
    person.enter("local")
    person.say("through localhost")
    person.sees("through localhost")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_small_screen(
    sign_up: Callable[..., Person], chat: Site, scheme: str
) -> None:
    person = sign_up(f"small-{scheme}")
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
        person.photograph(f"{chat.client}-320-{scheme}-{name}")
        assert width <= 320, name


def test_the_home_page_shows_a_live_round_trip_and_region(
    browser: Browser, kitchen: Kitchen
) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    project.manage("migrate")
    port = free_port()
    with serve(runserver(project, port), cwd=project.path, port=port) as server:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.locator("main")).to_contain_text(CONNECTED)
        page.screenshot(path=SCREENSHOTS / "home.png")
        people = page.locator("live-region")
        expect(people).to_have_attribute("data-state", "live")
        expect(people).to_contain_text("0 people")
        project.manage("shell", "-c", "User.objects.create_user('ada')")
        expect(people).to_contain_text("1 person")
    # The page notices that the server is gone.
    expect(page.locator("main")).not_to_contain_text(CONNECTED, timeout=15_000)


def test_screenshots_are_not_committed() -> None:
    ignored = (TEMPLATE / ".gitignore").read_text().splitlines()
    assert f"{Path(SCREENSHOTS).name}/" in ignored
