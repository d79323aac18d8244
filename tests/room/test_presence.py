"""Who is here, and who is typing."""

import time
from collections.abc import Callable

from fleet import wait_until
from people import Person
from playwright.sync_api import Locator, expect
from sites import Site

Invite = Callable[..., Person]
Note = Callable[[str], None]


def here(person: Person) -> Locator:
    return person.page.locator("#presence li")


def until_here(names: list[str], *people: Person) -> float:
    """The seconds until all see these and nobody else; `expect` looks once a second."""
    start = time.monotonic()
    for person in people:
        wait_until(lambda: here(person).all_inner_texts() == names, "they see it")  # noqa: B023
    return time.monotonic() - start


def until_heard(speaker: Person, listener: Person) -> float:
    """The seconds until one's message shows at the other: what the machine needs."""
    before = listener.messages.count()
    start = time.monotonic()
    speaker.say_at_once("Can you hear me?")
    wait_until(lambda: listener.messages.count() > before, "it is heard")
    return time.monotonic() - start


def count_in_list(person: Person, room: str) -> Locator:
    person.page.goto("/chat/")
    return person.page.locator(f'a[href="/chat/{room}/"] .room-count')


def test_joins_and_leaves_show_within_two_seconds(
    invite: Invite, chat: Site, note: Note
) -> None:
    ada, bob, eve = invite("ada"), invite("bob"), invite("eve")
    ada.enter("presence")
    expect(here(ada)).to_have_text(["ada"])
    bob.page.goto("/chat/presence/")
    joined = until_here(["ada", "bob"], ada, bob)
    usual = until_heard(bob, ada)
    # A second tab of the same person is no second person.
    tab = bob.new_tab()
    tab.goto("/chat/presence/")
    expect(tab.locator("#status")).to_have_text("Online")
    expect(count_in_list(eve, "presence")).to_have_text("2 here")
    bob.page.close()
    tab.wait_for_timeout(1500)
    expect(here(ada)).to_have_text(["ada", "bob"])
    tab.close()
    left = until_here(["ada"], ada)
    expect(count_in_list(eve, "presence")).to_have_text("1 here")
    note(
        f"{chat.client}: a join showed after {joined:.1f} s, a leave after {left:.1f} s"
    )
    assert joined < 2 + usual
    assert left < 2 + usual


# In a room that was swapped into the page a moment ago.
TYPE_EARLY = """
() => {
  const room = document.querySelector("chat-room");
  const { socket } = room;
  const field = room.find("message");
  room.socket = undefined;
  field.value = "Hello";
  field.dispatchEvent(new Event("input"));
  room.socket = socket;
}
"""


def test_who_types_before_there_is_a_socket_sees_no_error(invite: Invite) -> None:
    ada = invite("ada")
    ada.enter("early")
    ada.page.evaluate(TYPE_EARLY)
    assert ada.complaints == []


def test_typing_is_shown_and_gone(invite: Invite, chat: Site, note: Note) -> None:
    ada, bob = invite("ada"), invite("bob")
    sent: list[str] = []
    bob.page.on(
        "websocket",
        lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))),
    )
    ada.enter("typing")
    bob.enter("typing")
    typing = ada.page.locator("#typing")
    bob.page.keyboard.type("Hello, this takes a moment to write")
    expect(typing).to_have_text("bob is typing…")
    expect(bob.page.locator("#typing")).to_be_empty()
    assert len([frame for frame in sent if "typing" in frame]) == 1
    bob.page.keyboard.press("Enter")
    ada.sees("Hello, this takes a moment to write")
    expect(typing).to_be_empty()
    bob.page.keyboard.type("and now for some")
    expect(typing).to_have_text("bob is typing…")
    started = time.monotonic()
    wait_until(lambda: not typing.inner_text(), "it is over")
    shown = time.monotonic() - started
    note(f"{chat.client}: “is typing” was gone after {shown:.1f} s")
    assert 3 < shown < 6
