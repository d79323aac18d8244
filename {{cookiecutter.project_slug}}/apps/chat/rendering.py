"""The fragments that travel to the pages of a room.

What goes to all of them is in no language: its words are those of <page-words>, which
each page says in its own. What is for one socket is in the language of that one.
"""

from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

from apps.chat.models import Message
from apps.users.models import User


def render_message(message: Message) -> str:
    with override(settings.LANGUAGE_CODE):
        return render("arrival", message=message)


def render_stored(message: Message) -> str:
    """What its sender is told, even where the message itself comes much later."""
    return render("stored", message=message)


def render_removal(message: Message) -> str:
    return render("removal", message=message)


def render_skipped(count: int, until: int) -> str:
    return render("skipped", count=count, before=until + 1)


def render_error(sentence: str, client_id: UUID | None = None, retry: int = 0) -> str:
    """`retry`: after how many milliseconds the message may be sent again, if ever."""
    return render("error", sentence=sentence, client_id=client_id, retry=retry)


def render_roster(people: list[User], count: int) -> str:
    return render("roster", people=people, count=count, more=count - len(people))


def render_typing(author: User) -> str:
    return render("typing", author=author)


def render(partial: str, **context: object) -> str:
    return render_to_string(f"chat/fragments.html#{partial}", context)
