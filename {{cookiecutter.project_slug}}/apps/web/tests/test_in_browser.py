import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_the_home_page_has_no_errors(browser: Browser, site: str) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))

    page.goto(site, wait_until="networkidle")

    assert said == []
