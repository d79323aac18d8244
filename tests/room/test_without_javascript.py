"""A room without JavaScript: the form posts, and everyone else sees it live."""

import re
from collections.abc import Callable

from people import Person
from playwright.sync_api import expect
from sites import Site

Invite = Callable[..., Person]


def test_one_can_talk_without_javascript(invite: Invite, chat: Site) -> None:
    ada = invite("ada", java_script_enabled=False)
    bob = invite("bob")
    bob.enter("plain")
    ada.page.goto("/chat/")
    ada.page.fill("input[name=name]", "plain")
    ada.page.keyboard.press("Enter")
    expect(ada.page).to_have_url(re.compile("/chat/plain/$"))
    expect(ada.page.locator("#nothing")).to_be_visible()
    ada.field.fill("first line\nsecond <b>line</b>")
    ada.page.get_by_role("button", name="Send").click()
    ada.sees("first line")
    expect(ada.page.locator("#nothing")).to_be_hidden()
    assert ada.messages.inner_text().endswith("first line\nsecond <b>line</b>")
    bob.sees("first line")
    bob.say("I can see you")
    bob.sees("first line", "I can see you")
    ada.page.get_by_role("link", name="reload").click()
    ada.sees("first line", "I can see you")
    ada.photograph(f"{chat.client}-plain")


def test_a_form_that_is_sent_twice_is_stored_once(invite: Invite) -> None:
    ada = invite("ada", java_script_enabled=False)
    ada.page.goto("/chat/")
    ada.page.fill("input[name=name]", "twice")
    ada.page.keyboard.press("Enter")
    ada.field.fill("only once")
    with ada.page.expect_request("**/messages/") as sent:
        ada.page.get_by_role("button", name="Send").click()
    ada.sees("only once")
    again = ada.context.request.post(
        sent.value.url,
        data=sent.value.post_data,
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": ada.page.url,
        },
    )
    assert again.ok
    ada.page.reload()
    ada.sees("only once")


def test_what_is_wrong_stands_in_the_page(invite: Invite) -> None:
    ada = invite("ada", java_script_enabled=False)
    ada.page.goto("/chat/")
    ada.page.fill("input[name=name]", "wrong")
    ada.page.keyboard.press("Enter")
    ada.field.fill("   \n ")
    ada.page.get_by_role("button", name="Send").click()
    expect(ada.page.locator(".notice.error")).to_have_text(
        "Write something first: an empty message is not sent."
    )
    ada.sees()
