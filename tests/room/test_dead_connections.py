"""Connections that die without a word, and pages that browsers keep."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from fleet import wait_until
from people import Person
from playwright.sync_api import Browser, expect
from serving import free_port, serve
from sites import Site, runserver
from tunnels import Tunnel, tunnel

Invite = Callable[..., Person]
SILENCE = 30  # seconds: 25 until the page asks, 5 until it gives up
SOON = 8  # seconds
SLOW = 8192  # bytes a second
MISSED = 300  # messages: all that a page catches up on
CRAWL = 2048  # bytes a second: a frame takes longer than a page waits at first
FEW = 80  # messages, in four frames
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
# When sockets were opened, and how they were closed.
RECORD = """
window.opened = [];
const Original = window.WebSocket;
window.WebSocket = class extends Original {
  constructor(...args) {
    super(...args);
    opened.push(performance.now());
  }
};
"""


@pytest.fixture
def line(chat: Site) -> Iterator[Tunnel]:
    with tunnel(chat.server.port) as line:
        yield line


def sit_down(person: Person, line: Tunnel, room: str) -> None:
    """Open a room through a tunnel; the cookie is for all ports of the host."""
    person.context.add_init_script(RECORD)
    person.page.goto(f"{line.url}/chat/{room}/")
    person.is_online()


def test_a_dead_connection_is_replaced_at_once(
    invite: Invite, chat: Site, line: Tunnel, note: Callable[[str], None]
) -> None:
    ada = invite("ada")
    chat.fill("line-dead", ("eve", "before"))
    sit_down(ada, line, "line-dead")
    line.kill()
    chat.fill("line-dead", ("eve", "missed"))
    began = time.monotonic()
    ada.page.evaluate(LOOK_AGAIN)
    expect(ada.messages).to_have_count(2, timeout=SOON * 1000)
    ada.is_online()
    took = time.monotonic() - began
    note(f"{chat.client}: a dead connection was replaced after {took:.1f} s")
    assert took < SOON
    ada.say("here again")
    ada.sees("before", "missed", "here again")


def test_silence_alone_is_noticed(invite: Invite, chat: Site, line: Tunnel) -> None:
    ada = invite("ada")
    chat.fill("line-silent", ("eve", "before"))
    sit_down(ada, line, "line-silent")
    line.kill()
    chat.fill("line-silent", ("eve", "missed"))
    expect(ada.messages).to_have_count(2, timeout=(SILENCE + 3) * 1000)
    ada.sees("before", "missed")


def test_a_slow_link_catches_up(
    invite: Invite,
    chat: Site,
    line: Tunnel,
    is_deep: bool,
    note: Callable[[str], None],
) -> None:
    missed = MISSED if is_deep else MISSED // 3
    ada = invite("ada")
    chat.fill("line-slow", ("eve", "before"))
    sit_down(ada, line, "line-slow")
    line.rate = SLOW
    chat.fill("line-slow", *[("eve", f"{n} " + "x" * 250) for n in range(missed)])
    line.cut()
    expect(ada.messages).not_to_have_count(1, timeout=SOON * 1000)
    began = time.monotonic()
    expect(ada.messages).to_have_count(missed + 1, timeout=60_000)
    took = time.monotonic() - began
    # The one that was cut, and one that caught up.
    assert len(ada.page.evaluate("opened")) == 2
    note(
        f"{chat.client}: {missed} missed messages came through {SLOW // 1024} KB/s in "
        f"{took:.0f} s, and the first of them within {SOON} s"
    )


@pytest.mark.deep
def test_patience_grows_with_the_link(
    invite: Invite, chat: Site, line: Tunnel, note: Callable[[str], None]
) -> None:
    ada = invite("ada")
    chat.fill("line-crawl", ("eve", "before"))
    sit_down(ada, line, "line-crawl")
    line.rate = CRAWL
    chat.fill("line-crawl", *[("eve", f"{n} " + "x" * 250) for n in range(FEW)])
    line.cut()
    began = time.monotonic()
    shown = 1
    while shown <= FEW:
        expect(ada.messages).not_to_have_count(shown, timeout=30_000)
        shown = ada.messages.count()
        # As somebody who comes back to the tab: the page asks whether all is well.
        ada.page.evaluate(LOOK_AGAIN)
    took = time.monotonic() - began
    opened = len(ada.page.evaluate("opened"))
    note(
        f"{chat.client}: {FEW} missed messages came through {CRAWL // 1024} KB/s in "
        f"{took:.0f} s, by {opened - 1} connections"
    )
    # It gives up twice, and waits for as long as it takes then.
    assert opened <= 5


def test_a_page_is_back_soon_after_its_network(
    invite: Invite, chat: Site, line: Tunnel
) -> None:
    ada = invite("ada")
    chat.fill("line-network", ("eve", "before"))
    sit_down(ada, line, "line-network")
    line.pause()
    chat.fill("line-network", ("eve", "missed"))
    ada.page.evaluate(LOOK_AGAIN)
    expect(ada.status).to_have_text("Reconnecting …", timeout=SOON * 1000)
    ada.page.wait_for_timeout(15_000)
    line.resume()
    expect(ada.status).to_have_text("Online", timeout=SOON * 1000)
    ada.sees("before", "missed")
    ada.complaints.clear()  # of handshakes that were given up


def test_the_intervals_grow(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    ada.context.add_init_script(RECORD)
    chat.fill("line-intervals", ("eve", "before"))
    port = free_port()
    command = runserver(chat.project, port)
    with serve(command, cwd=chat.project.path, port=port) as server:
        ada.page.goto(f"{server.url}/chat/line-intervals/")
        ada.is_online()
    # One that held, one at once, and five more in vain.
    wait_until(lambda: len(ada.page.evaluate("opened")) == 7, "it tries", 60)
    _, *times = ada.page.evaluate("opened.map((time) => time / 1000)")
    pauses = [after - before for before, after in pairwise(times)]
    for pause, longest in zip(pauses, [2, 4, 8, 8, 8], strict=True):
        assert longest / 2 <= pause <= longest + 1, pauses
    ada.page.goto("about:blank")
    ada.complaints.clear()


def test_offline_is_noticed_and_so_is_the_network(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    ada.enter("line-offline")
    ada.context.set_offline(True)
    expect(ada.status).to_have_text("You are offline.", timeout=3_000)
    chat.fill("line-offline", ("eve", "missed"))
    ada.page.wait_for_timeout(5_000)
    ada.context.set_offline(False)
    expect(ada.status).to_have_text("Online", timeout=3_000)
    ada.sees("missed")
    ada.complaints.clear()


def test_a_refused_page_says_why(invite: Invite, chat: Site) -> None:
    ada = invite("ada")
    chat.fill("line-refused", ("eve", "before"))
    with tunnel(chat.server.port, rewrites=True) as line:
        ada.page.goto(f"{line.url}/chat/line-refused/")
        expect(ada.status).to_have_text("This address is not allowed to connect.")
        ada.page.goto(line.url)
        expect(ada.page.locator("#ping-detail")).to_contain_text("not allowed")
        here = f"{line.url.replace('http', 'ws')}/ws/ping/"
        expect(ada.page.locator(".ping code")).to_have_text(here)
        ada.page.goto("about:blank")
    # For pages that show nothing of it, and for the log.
    assert any(" refuses this page" in one for one in ada.complaints)
    assert f"add {line.url} to CSRF_TRUSTED_ORIGINS in .env" in chat.server.log
    ada.complaints.clear()


def test_a_page_says_that_its_own_policy_is_in_the_way(invite: Invite) -> None:
    ada = invite("ada")
    ada.enter("line-policy")
    ada.page.evaluate("room = document.querySelector('chat-room')")
    ada.page.evaluate("room.dataset.socket = 'ws://elsewhere.example/'; room.connect()")
    expect(ada.status).to_contain_text("security policy")
    ada.page.goto("about:blank")  # it would try again
    ada.complaints.clear()


@pytest.fixture
def keeper(
    open_browser: Callable[..., Browser], chat: Site
) -> Iterator[Callable[..., Person]]:
    """Seats people at a browser that keeps pages for its back button."""
    browser = open_browser(ignore_default_args=["--disable-back-forward-cache"])
    yield lambda name, **options: chat.invite(browser, name, **options)
    browser.close()


def test_a_page_that_was_kept_is_live_and_complete(
    keeper: Invite, invite: Invite, chat: Site
) -> None:
    ada, bob = keeper("ada"), invite("bob")
    chat.fill("line-kept", ("eve", "before"))
    bob.visit("line-kept")
    ada.visit("line-kept")
    ada.page.evaluate("window.isKept = true")
    ada.page.goto("/")
    expect(bob.page.locator("#presence li")).to_have_text(["bob"])
    bob.say("missed")
    bob.sees("before", "missed")
    ada.page.go_back(wait_until="commit")
    assert ada.page.evaluate("window.isKept") is True
    expect(ada.status).to_have_text("Online", timeout=3_000)
    ada.sees("before", "missed")
    bob.say("live")
    ada.sees("before", "missed", "live")
    assert ada.complaints == []


def test_a_second_socket_of_an_element_closes_the_first(invite: Invite) -> None:
    ada = invite("ada")
    ada.enter("line-second")
    states: Any = ada.page.evaluate(
        """async () => {
          const make = () => new LiveSocket("/ws/ping/", { element: document.body });
          const [one, two] = [make(), make()];
          await new Promise((go) => two.addEventListener("message", go));
          const states = [one.state, two.state, document.body.dataset.state];
          document.body.remove();
          await new Promise((go) => setTimeout(go));
          return [...states, two.state, two.send("x")];
        }"""
    )
    assert states == ["closed", "online", "online", "closed", False]
    ada.complaints.clear()
