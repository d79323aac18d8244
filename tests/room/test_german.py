"""Whoever asks for German reads it: on each page, and in a room with others."""

import json
import re
from collections.abc import Callable, Iterable

import pytest
from people import Person
from playwright.sync_api import Page, expect
from sites import Site

Invite = Callable[..., Person]

# All words of a page, also those of its templates, which scripts bring in later.
WORDS = """() => {
  const foreign =
    "script, style, code, .text, #presence [data-user], .author, .room-name";
  const found = new Set([document.title]);
  const collect = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.closest(foreign)) continue;
      for (const node of element.childNodes)
        if (node.nodeType === Node.TEXT_NODE) found.add(node.data.trim());
      for (const name of ["aria-label", "placeholder", "title", "alt"])
        found.add(element.getAttribute(name) ?? "");
      if (element.type === "submit") found.add(element.value);
      if (element.content instanceof DocumentFragment) collect(element.content);
    }
  };
  collect(document);
  return [...found].filter((text) => /\\p{L}{2}/u.test(text));
}"""

# What is said so in German, too.
COMMON = {"Chat", "Chat · Café Channels", "Filter", "Name:", "WebSocket"}
# What Django's admin has no German for.
UNTRANSLATED = {"- Select an option -", "False", "Run", "Search", "True"}
# The site, its people, rooms and messages, and how long a ping took.
NAMES = re.compile(
    r"(Café Channels|ada|bob|eve|grace|linus|margaret|languages|line|, \d+ ms)\b|\d@"
)

PAGES = (
    "/",
    "/chat/",
    "/chat/?page=2",
    "/chat/languages/",
    "/chat/languages/?before=9",
)
ACCOUNT = ("email", "password/change", "logout", "reauthenticate")
ADMIN = ("", "chat/room/", "chat/room/add/", "chat/message/", "users/user/")
STRANGERS = ("login", "signup", "password/reset", "password/reset/done", "inactive")

ERRORS = """
import json
from django.template.loader import render_to_string
from django.utils.translation import override

pages = {}
for name in ("400", "403", "403_csrf", "404", "429", "500"):
    for language in ("en", "de"):
        with override(language):
            pages.setdefault(name, []).append(render_to_string(f"{name}.html"))
print(json.dumps(pages))
"""
ROOMS = """
from apps.chat.models import Room
Room.objects.bulk_create(
    Room(name=f"languages {n}", slug=f"languages-{n}") for n in range(101)
)
"""
FORGOTTEN = """
from apps.chat.models import Message, Room
from django.db.models import F
from uuid import uuid4
room = Room.objects.get(slug="languages")
Message.objects.create(
    room=room, number=room.last_number + 1, client_id=uuid4(), text="I am no more"
)
Room.objects.filter(pk=room.pk).update(last_number=F("last_number") + 1)
"""


def words(page: Page) -> set[str]:
    return set(page.evaluate(WORDS))


def left(english: Iterable[str], german: Iterable[str]) -> set[str]:
    """What is the same in both languages, and should not be."""
    same = set(english) & set(german) - COMMON - UNTRANSLATED
    return {text for text in same if not NAMES.match(text)}


@pytest.mark.parametrize("chat", ["htmx"], indirect=True)
def test_no_page_has_english_left(invite: Invite, chat: Site) -> None:
    chat.fill("languages", *[("bob", f"line {number}") for number in range(60)])
    chat.shell(ROOMS)
    found = {}
    for name, paths in (
        ("", [f"/accounts/{path}/" for path in STRANGERS]),
        (
            "margaret",
            [
                *PAGES,
                *(f"/accounts/{path}/" for path in ACCOUNT),
                *(f"/admin/{path}" for path in ADMIN),
            ],
        ),
    ):
        english, german = invite(name), invite(name, locale="de-DE")
        for path in paths:
            for person in (english, german):
                answer = person.page.goto(path)
                assert answer
                assert answer.ok, path
            assert german.page.locator("html").get_attribute("lang") == "de"
            found[path] = left(words(english.page), words(german.page))
            assert len(words(german.page)) > 3
    for name, pages in json.loads(chat.shell(ERRORS)).items():
        shown = []
        for html in pages:
            english.page.set_content(html)
            shown.append(words(english.page))
        found[name] = left(*shown)
    english_left = [f"{path}: {texts}" for path, texts in found.items() if texts]
    assert not english_left, "\n".join(english_left)
    english.complaints.clear()  # of files that pages without an address cannot find


def test_a_room_is_in_the_language_of_each_who_is_in(
    invite: Invite, chat: Site
) -> None:
    ada, grace = invite("ada"), invite("grace", locale="de-DE")
    ada.enter("languages")
    grace.page.goto("/chat/languages/")
    expect(grace.status).to_have_text("Verbunden")
    here = grace.page.get_by_role("complementary", name="2 gerade da")
    expect(here.get_by_role("listitem")).to_have_text(["ada", "grace"])
    expect(ada.page.locator("#presence h2")).to_have_text("2 here now")
    # What one of them does is told to the other in the other's language.
    ada.field.press_sequentially("h")
    grace.field.press_sequentially("h")
    expect(grace.page.locator("#typing")).to_have_text("ada schreibt …")
    expect(ada.page.locator("#typing")).to_have_text("grace is typing…")
    grace.photograph(f"{chat.client}-german")
    assert left(words(ada.page), words(grace.page)) == set()
    chat.shell(FORGOTTEN)
    expect(grace.messages.last).to_contain_text("Gelöschtes Konto")
    expect(ada.messages.last).to_contain_text("Deleted user")
    # And what is wrong is told to the one who did it.
    for person, sentence in (
        (ada, "This message has 2001 characters"),
        (grace, "Diese Nachricht hat 2001 Zeichen"),
    ):
        person.field.evaluate("field => field.removeAttribute('maxlength')")
        person.field.fill("x" * 2001)
        person.field.press("Enter")
        expect(person.page.locator("#error")).to_contain_text(sentence)
    grace.context.set_offline(True)
    expect(grace.status).to_have_text("Du bist offline.", timeout=15_000)
    grace.field.fill("unterwegs")
    grace.field.press("Enter")
    expect(grace.page.locator(".pending")).to_contain_text("Wird gesendet …")
    grace.context.set_offline(False)
    expect(ada.messages.last).to_contain_text("unterwegs", timeout=20_000)
    grace.complaints.clear()


@pytest.mark.parametrize("chat", ["htmx"], indirect=True)
def test_the_members_of_a_private_room_are_kept_in_german(
    invite: Invite, chat: Site
) -> None:
    both = invite("ada"), invite("grace", locale="de-DE")
    for person in both:
        page = person.page
        page.goto("/chat/")
        page.fill("input[name=name]", f"languages of {person is both[0]}")
        page.check("input[name=is_private]")
        page.keyboard.press("Enter")
        for name in ("bob", "nobody"):
            page.locator(".members summary").click()
            page.fill("#username", name)
            page.keyboard.press("Enter")
            expect(page.locator(".notice")).to_contain_text(name)
    ada, grace = (words(person.page) for person in both)
    assert {"2 Mitglieder", "Niemand heißt „nobody“."} <= grace
    assert left(ada, grace) == set()
