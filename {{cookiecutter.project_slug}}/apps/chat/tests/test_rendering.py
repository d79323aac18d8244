"""How messages and people are shown."""

import re
from uuid import uuid4

import pytest
from django.test import Client

from apps.chat.models import Message, Room
from apps.chat.posting import post_message
from apps.chat.rendering import render_message, render_roster, render_stored
from apps.users.models import User


def said(text: str, author: str = "ada") -> Message:
    """Return a message that is not stored."""
    return Message(
        room=Room(),
        author=User(username=author),
        number=3,
        client_id=uuid4(),
        text=text,
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
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


def test_an_author_is_told_which_message_is_stored() -> None:
    for message in (said("one"), said("two")):
        assert f' data-client-id="{message.client_id}"' in render_stored(message)


def test_a_roster_names_the_first_and_counts_the_rest() -> None:
    shown = render_roster([User(username="ada"), User(username="bob")], 12)

    assert "12 here now" in shown
    assert shown.index("ada") < shown.index("bob") < shown.index("and 10 more")
