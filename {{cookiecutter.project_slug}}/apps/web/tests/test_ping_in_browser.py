import pytest
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser


def test_the_ping_of_the_home_page_is_answered(browser: Browser, site: str) -> None:
    page = browser.new_page()

    page.goto(site)

    expect(page.locator("#ping-state")).to_have_text("connected")
