"""Private rooms: who is in chooses nobody but their creator."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from people import Person
from playwright.sync_api import expect
from sites import Site

Invite = Callable[..., Person]


def test_a_private_room_is_its_members(invite: Invite, chat: Site) -> None:
    ada, bob, eve = invite("ada"), invite("bob"), invite("eve")
    page = ada.page
    page.goto("/chat/")
    page.fill("input[name=name]", "Secret garden")
    page.check("input[name=is_private]")
    page.keyboard.press("Enter")
    ada.is_online()
    ada.say("just us")
    ada.sees("just us")

    # Nobody else sees it, or gets in by its name or its address.
    bob.page.goto("/chat/")
    expect(bob.page.locator("main")).not_to_contain_text("Secret garden")
    bob.page.keyboard.type("Secret garden")
    bob.page.keyboard.press("Enter")
    bob.is_online()
    assert urlsplit(bob.page.url).path == "/chat/secret-garden/"
    expect(bob.page.locator("main")).not_to_contain_text("just us")
    assert bob.page.goto(page.url).status == 404  # type: ignore[union-attr]
    bob.complaints.clear()

    page.get_by_text("1 member", exact=True).click()
    page.get_by_label("Add by name").fill("nobody-of-that-name")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.error")).to_have_text(
        "There is nobody called “nobody-of-that-name”."
    )
    for name in ("bob", "eve"):
        page.locator(".members summary").click()
        page.get_by_label("Add by name").fill(name)
        page.get_by_role("button", name="Add").click()
        expect(page.locator(".notice")).to_have_text(f"{name} is a member now.")
    page.locator(".members summary").click()
    ada.photograph(f"{chat.client}-members")

    for person in (bob, eve):
        person.page.goto("/chat/")
        person.page.get_by_role(
            "link", name=re.compile("Secret garden private")
        ).click()
        person.is_online()
        person.sees("just us")
    bob.field.focus()
    bob.say("thanks")
    ada.sees("just us", "thanks")
    # Only the creator may choose.
    bob.page.get_by_text("3 members").click()
    expect(bob.page.locator(".members button")).to_have_count(0)

    page.get_by_role("button", name="Remove bob").click()
    expect(page.locator(".notice")).to_have_text("bob is no member any more.")
    expect(bob.page.locator("#farewell")).to_have_text(
        "You are not a member of this room any more. Other rooms"
    )
    expect(bob.field).to_be_hidden()
    bob.photograph(f"{chat.client}-removed")
    ada.is_online()
    ada.field.focus()
    ada.say("now we are two")
    eve.sees("just us", "thanks", "now we are two")
    bob.sees("just us", "thanks")
    bob.page.locator("#farewell a").click()
    expect(bob.page.locator("main")).not_to_contain_text("Secret garden private")
