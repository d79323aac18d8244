"""Closed for good: the page says what happened, and does not hammer on."""

import re
from collections.abc import Callable

import pytest
from baking import TREE
from people import Person
from playwright.sync_api import expect
from sites import Site

Invite = Callable[..., Person]
QUIET = 2000  # milliseconds in which a page that comes back would have come back


def stays_away(person: Person, sentence: str) -> None:
    """The page says what happened, offers a way on, and opens no other socket."""
    sockets: list[str] = []
    person.page.on("websocket", lambda socket: sockets.append(socket.url))
    expect(person.page.locator("#farewell")).to_have_text(sentence)
    expect(person.page.locator("#farewell a")).to_have_count(1)
    expect(person.status).to_have_text("Disconnected")
    expect(person.field).to_be_hidden()
    person.page.wait_for_timeout(QUIET)
    assert not sockets


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("apps/web/templates/web/home.html", 'id="words-{}"'),
        ("channels_live/startsocket/html/client.js-tpl", '    {}: "'),
        ("channels_live/startsocket/json/client.js-tpl", '    {}: "'),
    ],
)
def test_a_page_has_words_for_each_state(file: str, said: str) -> None:
    script = TREE / "channels_live" / "static" / "channels_live" / "socket.js"
    states = set(re.findall(r'#say\("(\w+)"\)', script.read_text("utf-8")))
    assert len(states) == 4
    text = (TREE / file).read_text("utf-8")
    assert [state for state in states if said.format(state) not in text] == []


def test_the_home_page_says_that_its_login_has_ended(
    invite: Invite, chat: Site
) -> None:
    chat.settle("leaver")
    leaver = invite("leaver")
    leaver.page.goto("/")
    state = leaver.page.locator("#ping-state")
    expect(state).to_have_text("connected")
    tab = leaver.new_tab()
    tab.goto("/")
    tab.get_by_role("button", name="Sign Out").click()
    expect(state).to_have_text("disconnected: reload this page")
    leaver.page.reload()
    expect(state).to_have_text("connected")


def test_signed_out_in_another_tab(invite: Invite, chat: Site) -> None:
    chat.settle("traveller")
    traveller = invite("traveller")
    traveller.enter("signing-out")
    traveller.say("one moment")
    traveller.sees("one moment")
    tab = traveller.new_tab()
    tab.goto("/")
    tab.get_by_role("button", name="Sign Out").click()
    stays_away(traveller, "You are signed out. Sign in again")
    traveller.photograph(f"{chat.client}-signed-out")
    # The link leads through the login back into the room.
    traveller.page.locator("#farewell a").click()
    traveller.sign_in("traveller")
    traveller.is_online()
    traveller.sees("one moment")


def test_the_room_was_deleted(invite: Invite, chat: Site) -> None:
    ada, margaret = invite("ada"), invite("margaret")
    ada.enter("deleted")
    margaret.page.goto("/admin/chat/room/?q=deleted")
    margaret.page.get_by_role("link", name="deleted", exact=True).click()
    margaret.page.locator("a.deletelink").click()
    margaret.page.locator("input[type=submit]").click()
    stays_away(ada, "This room was deleted. Other rooms")


def test_the_person_was_deactivated(invite: Invite, chat: Site) -> None:
    chat.settle("troll")
    troll, margaret = invite("troll"), invite("margaret")
    troll.enter("deactivated")
    margaret.page.goto("/admin/users/user/?q=troll")
    margaret.page.get_by_role("link", name="troll", exact=True).click()
    margaret.page.uncheck("input[name=is_active]")
    margaret.page.get_by_role("button", name="Save", exact=True).click()
    stays_away(troll, "You are signed out. Sign in again")


def test_someone_who_floods_is_cut_off(invite: Invite) -> None:
    eve, bob = invite("eve"), invite("bob")
    eve.enter("cut-off")
    bob.visit("cut-off")
    eve.page.evaluate(
        "const { socket } = document.querySelector('chat-room');"
        "for (let n = 0; n < 200; n++) socket.send({ message: `flood ${n}` })"
    )
    stays_away(eve, "You sent too much at once. Come back")
    assert bob.messages.count() <= 10
    bob.say("peace")
    expect(bob.messages.last).to_contain_text("peace")
