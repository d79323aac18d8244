"""The picture at the top of the README: two people, as anyone sees them."""

from collections.abc import Callable

import pytest
from people import SCREENSHOTS, Person
from picture import Film
from playwright.sync_api import expect
from sites import Site

WINDOW = {"width": 460, "height": 520}
BEFORE = (
    ("grace", "Morning! The staging deploy is green."),
    ("ada", "Release notes: https://docs.example.org/releases/2026/november"),
    ("grace", "Read them on the train, thank you!"),
)
TALK = (
    ("ada", "Shall we ship it at 14:00?"),
    ("bob", "Yes! What happens to the people who are online?"),
    ("ada", "Nothing: their pages are back before they notice."),
)


@pytest.mark.deep
@pytest.mark.parametrize("chat_client", ["htmx"])
def test_two_browsers_chat(invite: Callable[..., Person], chat: Site) -> None:
    chat.fill("Release", *BEFORE)
    people = {
        name: invite(name, viewport=WINDOW, color_scheme=scheme)
        for name, scheme in (("ada", "light"), ("bob", "dark"))
    }
    for person in people.values():
        person.visit("release")
    ada, bob = people.values()
    for person in people.values():
        expect(person.page.locator("#presence li")).to_have_count(len(people))
    film = Film([(ada.page, "light"), (bob.page, "dark")])
    film.take(1200)
    for count, (name, text) in enumerate(TALK, len(BEFORE) + 1):
        writer = people[name]
        (reader,) = set(people.values()) - {writer}
        for start in range(0, len(text), 8):
            writer.field.press_sequentially(text[start : start + 8])
            if start == 0:
                expect(reader.page.locator("#typing")).not_to_be_empty()
            film.take(180)
        writer.page.keyboard.press("Enter")
        for person in people.values():
            expect(person.messages).to_have_count(count)
            expect(person.page.locator(".pending")).to_have_count(0)
        film.take(1500)
    film.take(1500)
    film.save(SCREENSHOTS / "two-browsers.webp")
