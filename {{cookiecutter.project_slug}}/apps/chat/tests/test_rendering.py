"""What people write is shown as they wrote it, and never becomes markup."""

import html
import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from apps.chat.models import Message, Room
from apps.chat.rendering import (
    render_error,
    render_message,
    render_roster,
    render_typing,
)
from apps.chat.services import post_message
from apps.users.models import User

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</textarea><script>alert(1)</script>",
    "\x7b{ 7|add:7 }}\x7b% debug %}",
    "<a hx-get='/logout/' hx-trigger='load'>",
    'http://example.com/"onmouseover="alert(1)',
    "http://example.com/<script>alert(1)</script>",
]


def said(text: str, author: str = "ada") -> Message:
    """A message that is nowhere stored."""
    return Message(
        room=Room(pk=1),
        author=User(pk=7, username=author),
        number=3,
        client_id=uuid4(),
        text=text,
    )


def tags(markup: str) -> list[str]:
    """The tags of some HTML with the names of their attributes."""
    found = re.findall(r"<[a-z][^>]*>", markup)
    return [re.sub(r'="[^"]*"', "", tag) for tag in found]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(
    "render",
    [
        lambda text: render_message(said("hello", author=text)),
        lambda text: render_roster([User(pk=7, username=text)], 1),
        lambda text: render_typing(User(pk=7, username=text)),
        lambda text: render_error(text, uuid4()),
    ],
    ids=["author", "roster", "typing", "error"],
)
def test_a_name_is_never_markup(render: Callable[[str], str], payload: str) -> None:
    shown = render(payload)

    assert tags(shown) == tags(render("x"))
    assert payload in html.unescape(shown)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_text_is_never_markup(payload: str) -> None:
    expected = tags(render_message(said("x")))

    found = tags(render_message(said(payload)))

    links = [tag for tag in found if tag not in expected]
    assert [tag for tag in found if tag in expected] == expected
    assert set(links) <= {"<a href rel>"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("one\ntwo", "<p>one<br>two</p>"),
        ("one\n\ntwo", "<p>one</p>\n\n<p>two</p>"),
        (
            "see https://example.com/?a=1&b=2.",
            '<p>see <a href="https://example.com/?a=1&amp;b=2" rel="nofollow">'
            "https://example.com/?a=1&amp;b=2</a>.</p>",
        ),
        ("javascript:alert(1)", "<p>javascript:alert(1)</p>"),
    ],
)
def test_lines_and_links_are_kept(text: str, shown: str) -> None:
    assert shown in render_message(said(text))


@pytest.mark.django_db
def test_a_page_and_a_socket_show_a_message_alike(
    client: Client, lobby: Room, ada: User
) -> None:
    message = post_message(lobby, ada, "see https://example.com\n<b>now</b>")
    message.refresh_from_db()
    client.force_login(ada)

    page = client.get(lobby.get_absolute_url()).text

    item = re.search(r"<li class=\"message\".*</li>", render_message(message), re.S)
    assert item
    assert item[0] in page


def test_a_roster_names_the_first_and_counts_the_rest() -> None:
    shown = render_roster([User(pk=1, username="ada"), User(pk=2, username="bob")], 12)

    assert "12 here now" in shown
    assert shown.index("ada") < shown.index("bob") < shown.index("and 10 more")
