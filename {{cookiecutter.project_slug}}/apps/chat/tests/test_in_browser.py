import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def test_two_people_talk(browser: Browser, site: str) -> None:
    ada, ben = sign_up(browser, site, "ada"), sign_up(browser, site, "ben")
    ada.goto("/chat/")
    ada.locator("input[name=name]").fill("Lobby")
    ada.keyboard.press("Enter")
    ada.wait_for_url("/chat/lobby/")
    ben.goto("/chat/lobby/")

    say(ada, "Hello, Ben")
    say(ben, "Hello, Ada")

    for person in (ada, ben):
        messages = person.locator("#messages > li")
        expect(messages).to_contain_text(["Hello, Ben", "Hello, Ada"])
        expect(messages).to_have_count(2)


def sign_up(browser: Browser, site: str, name: str) -> Page:
    """Somebody at a browser of their own, logged in."""
    page = browser.new_context(base_url=site).new_page()
    page.goto("/accounts/signup/")
    page.locator("input[name=username]").fill(name)
    for field in ("password1", "password2"):
        page.locator(f"input[name={field}]").fill("correct-horse-battery-9")
    page.keyboard.press("Enter")
    page.wait_for_url("/")
    return page


def say(person: Page, text: str) -> None:
    person.locator("textarea[name=message]").fill(text)
    person.keyboard.press("Enter")
    expect(person.locator("#messages")).to_contain_text(text)
    expect(person.locator(".pending")).to_have_count(0)
