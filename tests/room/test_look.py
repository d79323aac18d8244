"""A room in the middle of a conversation, on every screen it is designed for."""

from collections.abc import Callable

import pytest
from people import Person
from playwright.sync_api import expect
from sites import Site

TALK = (
    ("bob", "Morning all! The staging deploy is green."),
    ("bob", "Release notes: https://docs.example.org/releases/2026/november?draft=1"),
    (
        "ada",
        "Nice. I read them on the train.\nTwo things:\n\n- the typo in §3\n- 日本語 😀",
    ),
    ("grace", "Fixed both. Thanks, Ada!"),
    ("grace", "Also this hash: " + "deadbeef" * 14),
    ("ada", "👍"),
    (
        "linus",
        """Has anyone looked at the reconnect storm from last week? I put some numbers \
together: with jitter, the peak after a restart went from 4,000 connections a second \
to about 300, which the database does not even notice.""",
    ),
    ("bob", "Yes — looks great. Shall we ship it at 14:00?"),
)


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (900, "light")])
def test_a_conversation_fits_the_screen(
    invite: Callable[..., Person], chat: Site, width: int, scheme: str
) -> None:
    room = f"look-{width}-{scheme}"
    chat.fill(room, *TALK)
    options = {"viewport": {"width": width, "height": 640}, "color_scheme": scheme}
    ada = invite("ada", **options)
    bob, grace = invite("bob"), invite("grace")
    for person in (bob, grace, ada):
        person.visit(room)
    ada.field.focus()
    ada.say("14:00 it is.")
    expect(ada.messages).to_have_count(len(TALK) + 1)
    expect(ada.page.locator(".pending")).to_have_count(0)
    bob.field.press_sequentially("Gr")
    expect(ada.page.locator("#typing")).to_have_text("bob is typing…")
    expect(ada.page.locator("#presence li")).to_have_count(3)
    width_needed = ada.page.evaluate("document.documentElement.scrollWidth")
    ada.photograph(f"{chat.client}-talk-{width}-{scheme}")
    assert width_needed <= width
