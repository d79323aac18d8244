"""axe-core finds nothing to complain of, and everything works by keyboard."""

from collections.abc import Callable
from itertools import product
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from people import Person
from playwright.sync_api import Locator, Page, expect
from sites import Site

Invite = Callable[..., Person]
WIDTHS = (320, 900)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
AXE = Axe()


def check(page: Page) -> None:
    """See what axe-core says of a page on each screen that it is designed for."""
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 700})
        page.emulate_media(color_scheme=scheme)
        # Injected through the debugger, which the page's policy has no say in.
        results = AXE.run(page)
        assert results.violations_count == 0, (
            f"{page.url}, {width} px, {scheme}\n{results.generate_report()}"
        )


def test_axe_finds_nothing_on_the_pages_around_the_rooms(
    invite: Invite, chat: Site
) -> None:
    chat.fill("axe-listed", ("bob", "hello"))
    ada, nobody = invite("ada"), invite("")
    for path in ("/", "/accounts/login/", "/accounts/signup/"):
        nobody.page.goto(path)
        check(nobody.page)
    for path in ("/", "/chat/", "/accounts/email/"):
        ada.page.goto(path)
        check(ada.page)


def test_axe_finds_nothing_in_a_room(invite: Invite, chat: Site) -> None:
    chat.fill("axe", ("bob", "see https://example.org"), ("eve", "a"), ("eve", "b"))
    ada, bob = invite("ada"), invite("bob")
    bob.visit("axe")
    ada.visit("axe")
    ada.field.focus()
    ada.field.evaluate("field => field.removeAttribute('maxlength')")
    ada.field.fill("x" * 2001)
    ada.field.press("Enter")
    expect(ada.page.locator("#error")).to_be_visible()
    check(ada.page)
    ada.context.set_offline(True)
    expect(ada.status).to_have_text("You are offline.", timeout=15_000)
    ada.say("pending")
    ada.page.locator(".pending").evaluate(
        "node => Promise.all(node.getAnimations({subtree: true}).map(a => a.finished))"
    )
    check(ada.page)
    ada.context.set_offline(False)
    ada.is_online()
    ada.complaints.clear()


def test_axe_finds_nothing_among_the_members(invite: Invite, chat: Site) -> None:
    ada, margaret = invite("ada"), invite("margaret")
    ada.page.goto("/chat/")
    ada.page.fill("input[name=name]", "axe-private")
    ada.page.check("input[name=is_private]")
    ada.page.keyboard.press("Enter")
    ada.is_online()
    check(ada.page)
    ada.page.locator(".members summary").click()
    ada.page.get_by_label("Add by name").fill("bob")
    ada.page.keyboard.press("Enter")
    expect(ada.page.locator(".notice")).to_be_visible()
    ada.page.locator(".members summary").click()
    check(ada.page)
    margaret.page.goto("/admin/chat/room/?q=axe-private")
    margaret.page.get_by_role("link", name="axe-private", exact=True).click()
    margaret.page.locator("a.deletelink").click()
    margaret.page.locator("input[type=submit]").click()
    expect(ada.page.locator("#farewell")).to_be_visible()
    check(ada.page)


def test_everything_works_by_keyboard(invite: Invite, chat: Site) -> None:
    ada, bob = invite("ada"), invite("bob")
    page = ada.page
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.goto("/chat/")
    expect(page.get_by_label("Enter a room")).to_be_focused()
    page.keyboard.type("Keys only")
    tab_to(page.get_by_role("checkbox"))
    page.keyboard.press("Space")
    tab_to(page.get_by_role("button", name="Enter"))
    page.keyboard.press("Enter")
    ada.is_online()
    tab_to(page.locator(".members summary"))
    page.keyboard.press("Enter")
    tab_to(page.get_by_label("Add by name"))
    page.keyboard.type("bob")
    page.keyboard.press("Enter")
    ada.is_online()
    expect(ada.field).to_be_focused()
    tab_to(page.locator(".members summary"))
    page.keyboard.press("Enter")
    tab_to(page.get_by_role("button", name="Remove bob"))
    # The log is reached and scrolled, and the way back down is a button.
    chat.fill("Keys only", *[("bob", f"line {number}") for number in range(40)])
    ada.page.reload()
    ada.is_online()
    log = page.get_by_role("log", name="Messages")
    tab_to(log)
    page.keyboard.press("Home")
    expect(ada.messages.first).to_be_in_viewport()
    expect(ada.messages.last).not_to_be_in_viewport()
    bob.page.goto(page.url)
    bob.is_online()
    bob.field.focus()
    bob.say("hello from below")
    button = page.get_by_role("button", name="New messages")
    tab_to(button)
    page.keyboard.press("Enter")
    expect(ada.messages.last).to_be_in_viewport()
    expect(log).to_be_focused()
    tab_to(ada.field)
    page.keyboard.type("done")
    tab_to(page.get_by_role("button", name="Send"))
    page.keyboard.press("Enter")
    expect(ada.messages.last).to_contain_text("done")


def test_screen_readers_hear_what_is_new_and_only_that(
    invite: Invite, chat: Site
) -> None:
    chat.fill("hearing", *[("bob", f"line {number}") for number in range(80)])
    ada = invite("ada")
    ada.visit("hearing")
    log = ada.page.get_by_role("log", name="Messages")
    expect(log.get_by_role("list")).to_have_count(1)
    expect(ada.page.get_by_role("status")).to_have_text("Online")
    ada.page.evaluate(RECORD_LIVE)
    log.hover()
    ada.page.mouse.wheel(0, -100_000)
    expect(ada.messages).to_have_count(80)
    assert ada.page.evaluate("heard") == 0
    ada.field.focus()
    ada.say("new")
    expect(ada.messages).to_have_count(81)
    assert ada.page.evaluate("heard") >= 1


# Counts what is added to the log while it is live.
RECORD_LIVE = """() => {
  window.heard = 0;
  const log = document.getElementById("log");
  new MutationObserver((changes) => {
    for (const change of changes)
      if (log.getAttribute("aria-live") !== "off") heard += change.addedNodes.length;
  }).observe(log, { childList: true, subtree: true });
}"""


def tab_to(locator: Locator) -> None:
    """Press Tab until an element has the focus, and see that this can be seen."""
    page = locator.page
    for _ in range(60):
        page.keyboard.press("Tab")
        if locator.evaluate("element => element === document.activeElement"):
            break
    expect(locator).to_be_focused()
    assert locator.evaluate(
        "element => getComputedStyle(element).outlineStyle !== 'none'"
    )
