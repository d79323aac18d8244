"""People at browsers of their own."""

import re
from typing import Any

from baking import TEMPLATE
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect
from serving import PASSWORD

SCREENSHOTS = TEMPLATE / "screenshots"
# A phone, also with its keyboard, a laptop, and a window that is short.
SIZES = ((320, 640), (320, 400), (1280, 800), (900, 300))
TALL = 600  # enough for all that a page keeps in view
SAY = """(field, texts) => {
  for (const text of texts) {
    field.value = text;
    field.form.requestSubmit();
  }
}"""
# How far the page scrolls past what is in it, and what scrolls sideways.
OVERFLOW = f"""() => {{
  const page = document.documentElement;
  const main = document.querySelector("main");
  const isFull = document.querySelector(".room") && innerHeight > {TALL};
  const ends = [document.body, main].map((one) => one.getBoundingClientRect().bottom);
  const end = isFull ? innerHeight : Math.max(innerHeight, ...ends);
  const wide = [page, ...document.querySelectorAll("*")].filter(
    (one) =>
      one.checkVisibility() &&
      (one === page || /auto|scroll/.test(getComputedStyle(one).overflowX)) &&
      one.scrollWidth > one.clientWidth,
  );
  return [page.scrollHeight - Math.ceil(end), ...wide.map((one) => one.outerHTML)];
}}"""


class Person:
    """Somebody at a browser of their own; `complaints` is what its console said."""

    def __init__(
        self, browser: Browser, url: str, *, session: str = "", **options: Any
    ) -> None:
        settings = {"viewport": {"width": 900, "height": 700}, **options}
        self.context = browser.new_context(base_url=url, **settings)
        if session:
            cookie = {"name": "sessionid", "value": session, "url": url}
            self.context.add_cookies([cookie])  # type: ignore[list-item]
        self.context.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.page = self.new_tab()

    def new_tab(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self.hear)
        return page

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} {message.location}")

    @property
    def field(self) -> Locator:
        return self.page.locator("textarea[name=message]")

    @property
    def messages(self) -> Locator:
        return self.page.locator("#messages > li")

    @property
    def status(self) -> Locator:
        return self.page.locator("#status")

    def fits(self) -> None:
        """The page does not scroll past its end, nor sideways, on any screen."""
        before = self.page.viewport_size
        assert before
        for width, height in SIZES:
            self.page.set_viewport_size({"width": width, "height": height})
            past, *wide = self.page.evaluate(OVERFLOW)
            where = f"{self.page.url} at {width} × {height}"
            assert (past <= 0, wide) == (True, []), f"{where}: {past} px, {wide}"
        self.page.set_viewport_size(before)

    def sign_up(self, name: str) -> None:
        """Fill in the form, as anyone new does."""
        self.page.goto("/accounts/signup/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=email]", f"{name}@example.org")
        self.page.fill("input[name=password1]", PASSWORD)
        self.page.fill("input[name=password2]", PASSWORD)
        self.page.keyboard.press("Enter")
        expect(self.page).not_to_have_url(re.compile("/signup/"), timeout=30_000)

    def sign_in(self, name: str) -> None:
        """Fill in the form that the page shows."""
        self.page.fill("input[name=login]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")

    def enter(self, room: str) -> None:
        """Type the room's name into the focused field and press Enter."""
        self.page.goto("/chat/")
        expect(self.page.locator("input[name=name]")).to_be_focused()
        self.page.keyboard.type(room)
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(re.compile(f"/chat/{room}/$"))
        expect(self.field).to_be_focused()
        self.is_online()

    def visit(self, room: str) -> None:
        """Open the room's page and wait for its socket."""
        self.page.goto(f"/chat/{room}/")
        self.is_online()

    def is_online(self) -> None:
        expect(self.status).to_have_text("Online", timeout=30_000)

    def say(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def say_at_once(self, *texts: str) -> None:
        """Sooner than anyone types, and than a busy machine lets a browser type."""
        self.field.evaluate(SAY, texts)

    def sees(self, *texts: str) -> None:
        """The messages on the page are these, in this order, and all have arrived."""
        expect(self.messages).to_have_count(len(texts), timeout=10_000)
        expect(self.messages).to_contain_text(list(texts))
        expect(self.page.locator(".pending")).to_have_count(0)

    def photograph(self, name: str) -> None:
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")
