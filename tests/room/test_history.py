"""The messages of a room: the last 50, and those before them."""

from collections.abc import Callable

from people import Person
from playwright.sync_api import expect
from sites import Site

Invite = Callable[..., Person]
SAID = [("bob", f"line {number}") for number in range(1, 131)]
TOP_OF = "node => node.getBoundingClientRect().top"


def test_earlier_messages_come_as_one_scrolls_up(invite: Invite, chat: Site) -> None:
    chat.fill("history", *SAID)
    ada = invite("ada")
    ada.visit("history")
    expect(ada.messages).to_have_count(50)
    expect(ada.messages.last).to_be_in_viewport()
    first = ada.page.locator("#message-81")
    expect(first).not_to_be_in_viewport()
    ada.page.locator("#log").hover()
    ada.page.mouse.wheel(0, -100_000)
    expect(ada.messages).to_have_count(100)
    # What was at the top has not moved, and nothing claims to be new.
    assert abs(first.evaluate(TOP_OF) - ada.page.locator("#log").evaluate(TOP_OF)) < 120
    expect(ada.page.locator("#new-messages")).to_be_hidden()
    ada.page.mouse.wheel(0, -100_000)
    expect(ada.messages).to_have_count(130)
    ada.page.mouse.wheel(0, -100_000)
    expect(ada.messages.first).to_be_in_viewport()
    expect(ada.page.locator("#earlier")).to_have_count(0)
    ada.sees(*(text for _, text in SAID))


def test_earlier_messages_are_a_link_without_javascript(
    invite: Invite, chat: Site
) -> None:
    chat.fill("links", *SAID)
    ada = invite("ada", java_script_enabled=False)
    ada.page.goto("/chat/links/")
    expect(ada.messages.last).to_contain_text("line 130")
    expect(ada.messages.last).to_be_in_viewport()
    seen: list[str] = []
    while True:
        expect(ada.messages.first).to_be_attached()
        seen = ada.page.locator("#messages .text").all_inner_texts() + seen
        earlier = ada.page.get_by_role("link", name="Earlier messages")
        if not earlier.count():
            break
        earlier.click()
    assert seen == [text for _, text in SAID]
    ada.page.get_by_role("link", name="Back to the latest messages").click()
    expect(ada.messages.last).to_contain_text("line 130")


def test_a_huge_room_opens_as_fast_as_a_small_one(
    invite: Invite, chat: Site, note: Callable[[str], None]
) -> None:
    chat.fill("small", *SAID[:50])
    chat.shell.run(HUGE)
    ada = invite("ada")
    times: dict[str, float] = {}
    # Others use the machine too: the fastest of some is the page's own.
    for room in ("small", "huge") * 4:
        ada.visit(room)
        timing = "performance.getEntriesByType('navigation')[0]"
        took = ada.page.evaluate(f"{timing}.responseEnd - {timing}.requestStart")
        times[room] = min(took, times.get(room, took))
    note(
        f"{chat.client}: a page of 50 messages of 50,000 took {times['huge']:.0f} ms, "
        f"of 50 messages {times['small']:.0f} ms"
    )
    assert times["huge"] < times["small"] * 3 + 100


HUGE = """
import uuid
from apps.chat.models import Message, Room
from apps.users.models import User

room = Room.objects.create(name="huge", slug="huge", last_number=50_000)
author = User.objects.get(username="bob")
Message.objects.bulk_create((
    Message(room=room, author=author, text="x", client_id=uuid.uuid4(), number=n)
    for n in range(1, 50_001)
), batch_size=5000)
"""
