"""The HTML that travels through the WebSockets of a room.

A fragment for everyone is rendered once, for pages in any language: its words are
<page-words>, which each page replaces with its own. A fragment for one socket is in
the language of that socket.
"""

import re
from functools import cache
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import escape, linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import override

from apps.chat.models import Message
from apps.users.models import User

# Stands for the client_id in what is rendered once for all messages.
PLACE = "{}"
# Where urlize may find an address.
ADDRESS = re.compile(r"[.:@]\S")


def render_message(message: Message) -> str:
    with override(settings.LANGUAGE_CODE):
        return render("arrival", **parts(message))


def render_line(message: Message) -> SafeString:
    """For a page, in its language."""
    return render_to_string("chat/message.html", parts(message))


def parts(message: Message) -> dict[str, str]:
    """Return what templates show of a message.

    As texts: templates take half of the time that they take for the message itself, and
    write no 1,000 for a number.
    """
    return {
        "number": str(message.number),
        "author_id": str(message.author_id or ""),
        "author": message.author.username if message.author else "",
        "client_id": str(message.client_id),
        "created": message.created.isoformat(),
        "time": f"{localtime(message.created):%H:%M}",
        "text": paragraphs(message.text),
    }


def paragraphs(text: str) -> SafeString:
    """Return text as HTML, as urlize|linebreaks does.

    urlize takes a third of the time, and most texts have no address in them.
    """
    if ADDRESS.search(text):
        html = urlize(text, nofollow=True, autoescape=True)
    else:
        html = escape(text)
    return mark_safe(linebreaks(html))  # noqa: S308


def render_stored(message: Message) -> str:
    """For its author: the message is safe, even if it arrives much later."""
    return render_stored_for(PLACE).replace(PLACE, str(message.client_id))


@cache
def render_stored_for(client_id: str) -> str:
    return render("stored", client_id=client_id)


def render_entry(number: int, message_number: int, message: Message | None) -> str:
    """What a number of a room stands for: a message, or what has become of one."""
    if message is None:
        return render("removal", number=message_number)
    if number == message_number:
        return render_message(message)
    return render("edited", **parts(message))


def render_skipped(count: int, until: int) -> str:
    """For a page that missed too much: `count` messages up to number `until`."""
    return render("skipped", count=count, before=until + 1)


def render_error(sentence: str, client_id: UUID | None = None, retry: int = 0) -> str:
    """For an author: why a message was refused.

    `retry` is the time until it may be sent again, in milliseconds; 0 means never.
    """
    return render("error", sentence=sentence, client_id=client_id, retry=retry)


def render_roster(people: list[User], count: int) -> str:
    """Who is in the room: the first people by name, and how many there are."""
    return render("roster", people=people, count=count, more=count - len(people))


def render_typing(author: User) -> str:
    return render("typing", author=author)


def render(partial: str, **context: object) -> str:
    return render_to_string(f"chat/fragments.html#{partial}", context)
