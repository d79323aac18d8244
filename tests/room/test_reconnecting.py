"""Coming back to a room: after a crash, after silence, after a long time away."""

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager

from fleet import terminate
from people import Person
from playwright.sync_api import expect
from serving import Server, free_port, serve
from sites import Site, runserver

Invite = Callable[..., Person]
IN_THE_GAP = 400
NOTE_CLOSE_CODES = """
window.closeCodes = [];
const Original = window.WebSocket;
window.WebSocket = class extends Original {
  constructor(...args) {
    super(...args);
    this.addEventListener("open", () =>
      this.addEventListener("close", ({ code }) => closeCodes.push(code)));
  }
};
"""


def daphne(chat: Site, port: int) -> AbstractContextManager[Server]:
    """The same site, as production serves it."""
    command = [str(chat.project.python), "-m", "daphne", "-p", str(port)]
    command.append("config.asgi:application")
    return serve(command, cwd=chat.project.path, port=port)


def test_a_crash_costs_nothing(invite: Invite, chat: Site) -> None:
    ada, bob = invite("ada"), invite("bob")
    port = free_port()
    place = f"http://127.0.0.1:{port}/chat/crash/"
    chat.fill("crash", ("eve", "before"))

    def server() -> AbstractContextManager[Server]:
        return serve(runserver(chat.project, port), cwd=chat.project.path, port=port)

    with server() as first:
        for person in (ada, bob):
            person.page.goto(place)
            person.is_online()
        ada.say("delivered")
        bob.sees("before", "delivered")
        first.signal(signal.SIGKILL)
        expect(ada.status).to_have_text("Reconnecting …")
        ada.photograph(f"{chat.client}-reconnecting")
        ada.say("written while it was down")
        ada.say("and another")
        expect(ada.page.locator(".pending")).to_have_count(2)
    chat.fill("crash", ("eve", "stored meanwhile"))
    with server():
        ada.is_online()
        bob.is_online()
        said = ["before", "delivered", "stored meanwhile"]
        said += ["written while it was down", "and another"]
        ada.sees(*said)
        bob.sees(*said)
    # Browsers tell of each attempt.
    for person in (ada, bob):
        person.page.goto("about:blank")
        person.complaints.clear()


def test_a_page_comes_back_from_a_restart(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    port = free_port()
    chat.fill("restart", ("eve", "before"))
    ada.context.add_init_script(NOTE_CLOSE_CODES)
    with daphne(chat, port) as server:
        ada.page.goto(f"{server.url}/chat/restart/")
        ada.is_online()
        terminate(server)
        expect(ada.status).to_have_text("Reconnecting …")
        ada.say("meanwhile")
        assert ada.page.evaluate("closeCodes") == [1012]
    with daphne(chat, port):
        ada.is_online()
        ada.sees("before", "meanwhile")
    ada.page.goto("about:blank")
    ada.complaints.clear()


def test_a_connection_that_died_silently_is_noticed(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    ada.enter("silence")
    chat.server.signal(signal.SIGSTOP)
    try:
        # As when a lid is opened again.
        ada.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(ada.status).to_have_text("Reconnecting …", timeout=8_000)
    finally:
        chat.server.signal(signal.SIGCONT)
    ada.is_online()
    ada.say("back")
    ada.sees("back")
    ada.complaints.clear()


def test_a_gap_is_closed_in_order(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    ada.enter("gap")
    ada.say("first")
    ada.sees("first")
    ada.context.set_offline(True)
    expect(ada.status).to_have_text("You are offline.", timeout=15_000)
    missed = [("eve", f"missed {number}") for number in range(60)]
    chat.fill("gap", *missed)
    ada.context.set_offline(False)
    ada.is_online()
    ada.sees("first", *(text for _, text in missed))
    ada.complaints.clear()


def test_a_gap_too_long_to_send_is_linked(invite: Invite, chat: Site) -> None:
    ada, bob = invite("ada"), invite("bob")
    ada.enter("long-gap")
    bob.enter("long-gap")
    ada.say("first")
    ada.sees("first")
    ada.context.set_offline(True)
    expect(ada.status).to_have_text("You are offline.", timeout=15_000)
    missed = [("eve", f"missed {number}") for number in range(IN_THE_GAP)]
    chat.fill("long-gap", *missed)
    # Now the server knows how many there are, and does not only hear of them.
    expect(bob.messages.last).to_contain_text(f"missed {IN_THE_GAP - 1}")
    ada.context.set_offline(False)
    ada.is_online()
    last = f"missed {IN_THE_GAP - 1}"
    expect(ada.messages.last).to_contain_text(last, timeout=15_000)
    expect(ada.messages).to_have_count(302)
    link = ada.page.get_by_role("link", name="100 messages came while you were away")
    link.scroll_into_view_if_needed()
    ada.photograph(f"{chat.client}-gap")
    link.click()
    expect(ada.messages.last).to_contain_text("missed 99")
    ada.page.get_by_role("link", name="Back to the latest messages").click()
    expect(ada.messages.last).to_contain_text(last)
    ada.complaints.clear()
