"""What users write never becomes markup."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.template.defaultfilters import linebreaks_filter, urlize
from django.utils import timezone

from apps.chat.rendering import (
    paragraphs,
    render_error,
    render_message,
    render_roster,
    render_typing,
)
from apps.chat.tests.test_rendering import said
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
    "text",
    [
        *PAYLOADS,
        "a < b & c\n\n'one'\ntwo.",
        "see http://localhost, http://[::1]/ or (www.example.com).",
        "write to ada@example.com: she knows example.org",
    ],
)
def test_a_text_is_shown_as_by_the_filters_of_django(text: str) -> None:
    assert paragraphs(text) == linebreaks_filter(urlize(text))


def test_a_time_is_that_of_the_time_zone() -> None:
    message = said("hello")
    message.created = datetime(2026, 3, 1, 23, 5, tzinfo=UTC)

    with timezone.override(ZoneInfo("Asia/Tokyo")):
        shown = render_message(message)

    assert ">08:05</time>" in shown


def test_numbers_are_written_as_scripts_read_them(settings: Any) -> None:
    settings.USE_THOUSAND_SEPARATOR = True
    message = said("hello")
    message.number = 12345

    assert ' data-number="12345"' in render_message(message)
