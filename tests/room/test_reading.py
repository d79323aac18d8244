"""Reading in comfort: where the view stands, what text becomes, whose time it is."""

from collections.abc import Callable
from datetime import datetime

from people import Person
from playwright.sync_api import expect
from sites import Site

Invite = Callable[..., Person]
LONG = [("bob", f"line {number}") for number in range(30)]


def test_the_view_follows_unless_one_scrolled_up(invite: Invite, chat: Site) -> None:
    chat.fill("follow", *LONG)
    ada, bob = invite("ada"), invite("bob")
    bob.visit("follow")
    ada.visit("follow")
    new_messages = ada.page.get_by_role("button", name="New messages")
    expect(ada.messages.last).to_be_in_viewport()
    bob.field.focus()
    for number in range(5):
        bob.say(f"one at the bottom, {number}")
    expect(ada.messages.last).to_contain_text("one at the bottom, 4")
    expect(ada.messages.last).to_be_in_viewport()
    expect(new_messages).to_be_hidden()

    # A field that grows takes no message out of sight.
    ada.page.locator("textarea[name=message]").focus()
    ada.page.keyboard.type("a message of several lines, " * 12)
    bob.say("while ada writes")
    expect(ada.messages.last).to_contain_text("while ada writes")
    expect(ada.messages.last).to_be_in_viewport(ratio=1)
    expect(new_messages).to_be_hidden()
    ada.field.fill("")

    ada.page.locator("#log").hover()
    ada.page.mouse.wheel(0, -500)
    expect(ada.messages.last).not_to_be_in_viewport()
    where = ada.page.locator("#log").evaluate("log => log.scrollTop")
    bob.say("one below")
    expect(new_messages).to_be_visible()
    assert ada.page.locator("#log").evaluate("log => log.scrollTop") == where
    ada.photograph(f"{chat.client}-new-messages")
    new_messages.click()
    expect(ada.messages.last).to_be_in_viewport()
    expect(new_messages).to_be_hidden()

    # One's own message is always in view, and so is a shrunken window's last.
    ada.page.locator("#log").hover()
    ada.page.mouse.wheel(0, -500)
    expect(ada.messages.last).not_to_be_in_viewport()
    ada.field.focus()
    ada.say("mine")
    expect(ada.messages.last).to_be_in_viewport()
    ada.page.set_viewport_size({"width": 400, "height": 400})
    expect(ada.messages.last).to_be_in_viewport()
    # Scrolled down by hand, the button goes.
    ada.page.locator("#log").hover()
    ada.page.mouse.wheel(0, -500)
    bob.say("another below")
    expect(new_messages).to_be_visible()
    ada.page.mouse.wheel(0, 100_000)
    expect(new_messages).to_be_hidden()


def test_links_are_clickable_and_line_breaks_kept(invite: Invite, chat: Site) -> None:
    text = "see https://example.org/a?b=1&c=2\n\nor www.example.org, I think"
    chat.fill("links-in-text", ("bob", text))
    ada = invite("ada")
    ada.visit("links-in-text")
    links = ada.page.locator("#messages a")
    assert [link.get_attribute("href") for link in links.all()] == [
        "https://example.org/a?b=1&c=2",
        "https://www.example.org",
    ]
    for link in links.all():
        assert "nofollow" in (link.get_attribute("rel") or "")
    assert ada.messages.locator(".text").inner_text() == text


def test_times_are_in_the_readers_own_zone(invite: Invite, chat: Site) -> None:
    chat.fill("zones", ("bob", "now"), ("bob", "long ago"))
    chat.shell.run(
        "from datetime import datetime, timezone\n"
        "from apps.chat.models import Message\n"
        "Message.objects.filter(text='long ago').update("
        "created=datetime(2026, 3, 1, 23, 30, tzinfo=timezone.utc))"
    )
    stored = {}
    for zone, time, day in (
        ("Asia/Tokyo", "8:30 AM", "Monday, March 2, 2026"),
        ("America/New_York", "6:30 PM", "Sunday, March 1, 2026"),
    ):
        reader = invite("ada", timezone_id=zone, locale="en-US")
        reader.visit("zones")
        old = reader.page.locator("#message-2")
        expect(old.locator("time")).to_have_text(time)
        expect(old).to_have_attribute("data-day", day)
        expect(reader.messages.first).to_have_attribute("data-day", "today")
        stored[zone] = reader.messages.first.locator("time").inner_text()
        # A message that arrives live is treated alike.
        reader.field.focus()
        reader.say(f"from {zone}")
        own = reader.messages.last.locator("time")
        expect(own).to_be_attached()
        here = reader.page.evaluate(
            "new Date().toLocaleTimeString([], {hour: 'numeric', minute: '2-digit'})"
        )
        assert minutes_between(own.inner_text(), here) <= 1
    assert stored["Asia/Tokyo"] != stored["America/New_York"]


def minutes_between(one: str, other: str) -> float:
    times = [datetime.strptime(time, "%I:%M %p") for time in (one, other)]
    return abs((times[0] - times[1]).total_seconds()) / 60
