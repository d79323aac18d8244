"""Sending in a room: the keys, what is pending, and what is refused."""

import signal
from collections.abc import Callable

from people import Person
from playwright.sync_api import expect
from serving import free_port, serve
from sites import Site

Invite = Callable[..., Person]

WITHOUT_WEBSOCKETS = """
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server
import os
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

class Server(ThreadingMixIn, WSGIServer):
    pass

make_server("127.0.0.1", {port}, get_wsgi_application(), Server).serve_forever()
"""


def test_enter_sends_and_shift_enter_breaks_the_line(invite: Invite) -> None:
    ada = invite("ada")
    ada.enter("keys")
    ada.page.keyboard.type("one")
    ada.page.keyboard.press("Shift+Enter")
    before = ada.field.bounding_box()
    ada.page.keyboard.type("two")
    ada.page.keyboard.press("Shift+Enter")
    after = ada.field.bounding_box()
    assert before
    assert after
    assert after["height"] > before["height"]
    expect(ada.messages).to_have_count(0)
    ada.say("three")
    ada.sees("one")
    assert ada.messages.inner_text().endswith("one\ntwo\nthree")
    expect(ada.field).to_have_value("")
    expect(ada.field).to_be_focused()
    ada.say("   ")
    ada.say("last")
    ada.sees("three", "last")


def test_a_message_is_pending_until_the_server_has_it(
    invite: Invite, chat: Site
) -> None:
    ada, bob = invite("ada"), invite("bob")
    ada.enter("pending")
    bob.visit("pending")
    chat.server.signal(signal.SIGSTOP)
    try:
        ada.say("slow & steady")
        ada.say("wins")
        assert ada.page.locator(".pending .text").all_inner_texts() == [
            "slow & steady",
            "wins",
        ]
        expect(ada.page.locator(".pending").last).to_contain_text("Sending …")
        ada.photograph(f"{chat.client}-pending")
        expect(bob.messages).to_have_count(0)
    finally:
        chat.server.signal(signal.SIGCONT)
    ada.sees("slow & steady", "wins")
    bob.sees("slow & steady", "wins")
    assert ada.page.locator("time").count() == 2


def test_what_is_said_offline_is_sent_on_return(invite: Invite) -> None:
    ada, bob = invite("ada"), invite("bob")
    ada.enter("offline")
    bob.visit("offline")
    ada.context.set_offline(True)
    expect(ada.status).to_have_text("You are offline.", timeout=15_000)
    ada.say("from the train")
    ada.say("still on it")
    expect(ada.page.locator(".pending")).to_have_count(2)
    expect(bob.messages).to_have_count(0)
    ada.context.set_offline(False)
    ada.is_online()
    bob.sees("from the train", "still on it")
    ada.sees("from the train", "still on it")
    ada.complaints.clear()  # the browser tells of each attempt


def test_what_is_pending_survives_a_reload(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    ada.enter("reload")
    chat.server.signal(signal.SIGSTOP)
    try:
        ada.say("on its way")
        ada.say("not even that")
        expect(ada.page.locator(".pending")).to_have_count(2)
        ada.page.evaluate("location.reload()")
    finally:
        chat.server.signal(signal.SIGCONT)
    ada.sees("on its way", "not even that")
    ada.page.reload()
    ada.sees("on its way", "not even that")


# What a page that was left too soon would still have to send: what is stored already,
# and another message.
LEFT_TOO_SOON = """() => {
    const { dataset } = document.querySelector("#messages > [data-client-id]");
    const room = document.querySelector("[data-socket]").dataset;
    sessionStorage.setItem(`pending:${room.socket}:${room.user}`, JSON.stringify([
        { message: "stored", client_id: dataset.clientId.replaceAll("-", "") },
        { message: "not yet", client_id: "0123456789abcdef0123456789abcdef" },
    ]));
    location.reload();
}"""


def test_what_was_stored_before_a_reload_holds_up_nothing(invite: Invite) -> None:
    ada = invite("ada")
    ada.enter("too-soon")
    ada.say("stored")
    ada.sees("stored")
    ada.page.evaluate(LEFT_TOO_SOON)
    ada.sees("stored", "not yet")
    expect(ada.page.locator(".pending")).to_have_count(0)


def test_a_refused_message_stays_and_says_why(invite: Invite, chat: Site) -> None:
    ada, bob = invite("ada"), invite("bob")
    ada.enter("refused")
    bob.visit("refused")
    ada.field.evaluate("field => field.removeAttribute('maxlength')")
    ada.field.fill("x" * 2001)
    ada.field.press("Enter")
    ada.say("short")
    expect(ada.page.locator(".failed")).to_contain_text("Not sent")
    bob.sees("short")
    expect(ada.page.locator(".pending")).to_have_count(0)
    expect(ada.messages).to_have_count(2)


def test_too_much_at_once_is_slowed_down_not_lost(invite: Invite, chat: Site) -> None:
    grace, bob = invite("grace"), invite("bob")
    grace.enter("flood")
    bob.visit("flood")
    said = [f"message {number}" for number in range(12)]
    grace.say_at_once(*said)
    expect(grace.page.locator("#error")).to_have_text(
        "Slow down: you are sending too much at once."
    )
    expect(grace.messages.last).to_be_in_viewport(ratio=1)
    grace.photograph(f"{chat.client}-slow-down")
    expect(bob.messages).to_have_count(12, timeout=20_000)
    bob.sees(*said)
    grace.sees(*said)
    expect(grace.page.locator("#error")).to_be_hidden()


def test_without_websockets_the_form_is_posted(invite: Invite, chat: Site) -> None:
    bob, ada = invite("bob"), invite("ada")
    bob.enter("blocked")
    port = free_port()
    python = str(chat.project.python)
    command = [python, "-c", WITHOUT_WEBSOCKETS.format(port=port)]
    with serve(command, cwd=chat.project.path, port=port) as plain:
        ada.page.goto(f"{plain.url}/chat/blocked/")
        ada.say("through the needle's eye")
        ada.sees("through the needle's eye")
        bob.sees("through the needle's eye")
        expect(ada.status).not_to_be_empty()  # the scripts of the new page are there
        ada.field.fill("again")
        ada.field.press("Enter")
        bob.sees("through the needle's eye", "again")
        ada.sees("through the needle's eye", "again")
        ada.page.goto("about:blank")
    ada.complaints.clear()
