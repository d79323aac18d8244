"""Every word is marked for translation: in a pseudo-locale, all stand in brackets."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from baking import TREE, Kitchen, Project
from fleet import Fleet, terminate
from playwright.sync_api import Browser, expect
from pseudo import PSEUDO, PseudoSite, pseudolocalize

# Messages of an author, stored behind the back of the server; of somebody who has left
# where that is None.
FILL = """
from apps.chat.models import Message, Room

room = Room.objects.get(slug={slug!r})
first = room.last_number + 1
Message.objects.bulk_create(
    Message(
        room=room,
        author_id={author},
        number=number,
        client_id=f"{{number:032}}",
        text="過去",
    )
    for number in range(first, first + {count})
)
room.last_number += {count}
room.save(update_fields=["last_number"])
print("null")
"""
DELETE = """
from apps.chat.models import Room

Room.objects.get(slug="doomed").delete()
print("null")
"""
# What a message and the news that somebody types are for all pages.
RENDER = """
import json
from apps.chat.models import Message
from apps.chat.rendering import render_message, render_typing
from apps.users.models import User

author = User.objects.get(username="太郎")
message = Message(author=author, text="あ", number=1)
print(json.dumps(render_message(message) + render_typing(author)))
"""
ANONYMOUS = (
    *("/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"),
    *("/accounts/password/reset/done/", "/accounts/password/reset/key/x-y/"),
    *("/accounts/inactive/", "/accounts/confirm-email/", "/accounts/confirm-email/x/"),
)
PAGES = (
    *("/", "/chat/", "/chat/?page=2", "/chat/own/", "/chat/own/?before=3"),
    *("/accounts/email/", "/accounts/password/change/", "/accounts/logout/"),
    *("/accounts/reauthenticate/", "/admin/", "/admin/chat/room/add/"),
    "/admin/chat/message/1/change/",
)
# Forms that are sent with nothing but this in a field.
WRONG = {
    "/accounts/login/": ("login", "誰か"),
    "/accounts/signup/": ("username", "太郎"),
    "/accounts/password/reset/": ("email", "1@example.org"),
}
# Without a look at what is required.
SUBMIT = "form => form.submit()"
HIDE_ORIGIN = "document.head.innerHTML += '<meta name=referrer content=no-referrer>'"
# What a page would not send, and what it is told.
FRAMES = {
    "'x'": "⟦Expected JSON, got something else.⟧",
    "'[]'": '⟦Expected a JSON object such as {"message": "…"}.⟧',
    "'{}'": '⟦Expected {"message": "…"} with a text in it.⟧',
    """'{"message": "あ", "client_id": 1}'""": "⟦Expected a UUID as client_id.⟧",
    "new Uint8Array(1)": "⟦Expected text, got binary data.⟧",
    """'{"message": ""}'""": "⟦Write something first: an empty message is not sent.⟧",
}
# Where Python has sentences for people.
SENTENCE = re.compile(
    r"(?:ValidationError|Flood|InvalidFrame|label=|help_text=|verbose_name=)\(?f?['\"]"
)


@pytest.fixture(scope="module")
def project(chat_client: str, kitchen: Kitchen) -> Project:
    project = kitchen.bake({"chat_client": chat_client, "project_name": "日本"})
    pseudolocalize(project)
    return project


@pytest.fixture(scope="module")
def site(
    project: Project,
    tmp_path_factory: pytest.TempPathFactory,
    redis_url: str,
    browser: Browser,
) -> Iterator[PseudoSite]:
    database = tmp_path_factory.mktemp("words") / "db.sqlite3"
    env = {
        **PSEUDO,
        "DATABASE_URL": f"sqlite:///{database}",
        "REDIS_URL": redis_url,
        "WEBSOCKET_SOCKETS_PER_SECOND": "100",
    }
    with ExitStack() as stack:
        yield PseudoSite(Fleet(project, env, stack), browser)


@pytest.mark.parametrize("chat_client", ["htmx"], scope="module")
def test_of_every_page(site: PseudoSite) -> None:
    fleet = site.fleet
    fleet.ask(FILL.format(slug="own", author=1, count=60))
    nobody, taro = site.invite(), site.invite("太郎")
    for person, paths in ((nobody, ANONYMOUS), (taro, PAGES)):
        for path in paths:
            site.visit(person, path)
            assert "⟦" in person.page.content()

    page = nobody.page
    for path, (field, text) in WRONG.items():
        page.goto(path)
        page.fill(f"[name={field}]", text)
        with page.expect_navigation():
            page.locator("main form").first.evaluate(SUBMIT)
        page.evaluate("look()")
    page.goto("/accounts/login/")
    nobody.context.clear_cookies()
    page.locator("main form").first.evaluate(SUBMIT)
    expect(page.locator("h1")).to_have_text("⟦This form has expired⟧")
    page.goto("/accounts/login/")
    page.evaluate(HIDE_ORIGIN)
    page.locator("main form").first.evaluate(SUBMIT)
    expect(page.locator("h1")).to_have_text("⟦This form came from elsewhere⟧")
    page.evaluate("look()")

    # What a new room may not be called, and who may not be in it.
    page = taro.page
    page.goto("/chat/")
    page.fill("[name=name]", "。。")
    page.keyboard.press("Enter")
    expect(page.locator(".errorlist")).to_have_text(
        "⟦A room's name needs a letter or a digit.⟧"
    )
    page.goto("/chat/own/")
    page.locator(".members summary").click()
    taro.fits()
    taro.field.fill("あ\n" * 40)
    taro.fits()
    page.fill("#username", "誰か")
    page.keyboard.press("Enter")
    expect(page.locator(".notice")).to_have_text("⟦There is nobody called “誰か”.⟧")

    # The home page's socket comes and goes.
    nobody.page.goto("/")
    ping = nobody.page.locator("#ping")
    expect(ping.locator("#ping-state")).to_have_text("⟦connected⟧")
    expect(ping.locator("#ping-summary")).to_contain_text("⟦Last minute")
    terminate(site.server)
    expect(ping.locator("#ping-detail")).to_contain_text("⟦next try")
    site.server = fleet.start("daphne", site.server.port)

    for status in (400, 429, 500):
        site.visit(taro, f"/error/{status}/", status)
    site.visit(taro, "/no-such-page/", 404)
    expect(taro.page.locator("h1")).to_have_text("⟦Nothing is here⟧")
    site.assert_all_marked()


def test_of_a_room_with_all_that_comes_through_its_socket(site: PseudoSite) -> None:
    taro, hanako = site.invite("太郎"), site.invite("花子")
    page = taro.page
    for person in (hanako, taro):
        person.page.goto("/chat/open/")
        expect(person.status).to_have_text("⟦Online⟧", timeout=30_000)
    expect(page.locator("#presence h2")).to_have_text("⟦2 here now⟧")
    hanako.field.press_sequentially("あ")
    expect(page.locator("#typing")).to_have_text("⟦花子 is typing…⟧")
    hanako.field.press("Enter")
    expect(taro.messages).to_contain_text(["あ"])
    site.fleet.ask(FILL.format(slug="open", author=None, count=1))
    expect(taro.messages.last).to_contain_text("⟦Deleted user⟧")

    error = page.locator("#error")
    for frame, sentence in FRAMES.items():
        page.evaluate(f"sockets.at(-1).send({frame})")
        expect(error).to_have_text(sentence)
    taro.field.evaluate("field => field.removeAttribute('maxlength')")
    taro.field.fill("あ" * 2001)
    taro.field.press("Enter")
    expect(error).to_contain_text("⟦This message has 2001 characters")
    expect(page.locator(".failed .refused")).to_have_text("⟦Not sent⟧")
    hanako.say_at_once(*"あ" * 12)
    expect(hanako.page.locator("#error")).to_have_text(
        "⟦Slow down: you are sending too much at once.⟧"
    )

    taro.context.set_offline(True)
    expect(taro.status).to_have_text("⟦You are offline.⟧", timeout=15_000)
    taro.field.fill("い")
    taro.field.press("Enter")
    expect(page.locator(".pending .sending")).to_have_text("⟦Sending …⟧")
    site.fleet.ask(FILL.format(slug="open", author=None, count=400))
    # Whoever is back before the room knows of them gets them all.
    expect(hanako.messages.filter(has_text="過去")).to_have_count(401, timeout=20_000)
    taro.context.set_offline(False)
    expect(page.locator(".skipped").first).to_contain_text(
        "messages came while you were away⟧", timeout=20_000
    )
    for person in (taro, hanako):
        person.page.evaluate("lookAtStyle()")
    terminate(site.server)
    expect(taro.status).to_have_text("⟦Reconnecting …⟧")
    site.server = site.fleet.start("daphne", site.server.port)
    expect(taro.status).to_have_text("⟦Online⟧", timeout=30_000)
    site.assert_all_marked()


def test_of_a_room_that_one_has_to_leave(site: PseudoSite) -> None:
    hanako = site.invite("花子")
    page = hanako.page

    def enter(room: str) -> None:
        page.goto(f"/chat/{room}/")
        expect(hanako.status).to_have_text("⟦Online⟧", timeout=30_000)

    def is_out(sentence: str) -> None:
        expect(page.locator("#farewell")).to_contain_text(f"⟦{sentence}⟧")
        expect(hanako.status).to_have_text("⟦Disconnected⟧")

    enter("own")
    remove = {"form_on": "/chat/own/", "username": "花子"}
    assert site.visitor("太郎").post("/chat/own/members/remove/", **remove).ok
    is_out("You are not a member of this room any more.")
    enter("doomed")
    site.fleet.ask(DELETE)
    is_out("This room was deleted.")
    enter("open")
    page.evaluate(
        "const { socket } = document.querySelector('chat-room');"
        "for (let n = 0; n < 200; n++) socket.send({ typing: true })"
    )
    is_out("You sent too much at once.")
    enter("open")
    assert site.visitor("花子").post("/accounts/logout/").ok
    is_out("You are signed out.")
    site.assert_all_marked()


def test_what_goes_to_all_has_no_words(site: PseudoSite) -> None:
    """Each page says them in its own language."""
    rendered = site.fleet.ask(RENDER)
    assert "太郎" in rendered
    assert "⟦" not in rendered


def test_no_sentence_of_pythons_is_unmarked() -> None:
    """Also those that are hard to bring about."""
    sources = [
        path
        for path in TREE.rglob("*.py")
        if not {"tests", "migrations"} & set(path.parts)
    ]
    assert sources
    for path in sources:
        assert not SENTENCE.findall(path.read_text("utf-8")), path.relative_to(TREE)
