"""People of different languages in one room."""

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.translation import override

from apps.chat.models import MAX_MESSAGE, Message, Room
from apps.chat.rendering import (
    render_message,
    render_removal,
    render_roster,
    render_skipped,
    render_typing,
)
from apps.chat.storing import Draft, store_drafts
from apps.chat.tests.conftest import LIMIT, Enter
from apps.chat.tests.tab import CATCH_UP, Tab
from apps.users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


async def test_each_is_told_what_is_wrong_in_their_own(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    tabs = {
        "Diese Nachricht hat 2001 Zeichen": await enter(ada, lobby, language="de"),
        "This message has 2001 characters": await enter(bob, lobby, language="en"),
    }

    for sentence, tab in tabs.items():
        await tab.say("x" * (MAX_MESSAGE + 1))
        await tab.hears(sentence)


async def test_a_flood_is_told_in_the_language_of_its_author(
    lobby: Room, ada: User, enter: Enter
) -> None:
    tab = await enter(ada, lobby, language="de")

    for _ in range(LIMIT + 1):
        await tab.say("flood")

    await tab.hears("Langsamer: Du schickst zu viel auf einmal.")


async def test_who_missed_too_much_is_told_in_their_own(lobby: Room, ada: User) -> None:
    last = CATCH_UP + 10
    await Room.objects.filter(pk=lobby.pk).aupdate(last_number=last)

    tab = await Tab.open(ada, "lobby", after=0, language="de")

    with override("de"):
        expected = render_skipped(10, 10)
    assert "10 Nachrichten kamen, während du weg warst" in expected
    await tab.hears(expected)
    await tab.leave()


def test_what_is_wrong_with_a_draft_has_no_language_until_it_is_told(
    attic: Room,
) -> None:
    eve = User.objects.create_user("eve")
    with override("de"):
        (outcome,) = store_drafts([Draft(attic, eve, "let me in", uuid4())])

    assert isinstance(outcome, ValidationError)
    with override("en"):
        assert outcome.messages == ["Only members of this room may write in it."]


def test_what_goes_to_all_is_the_same_whoever_says_it(lobby: Room, ada: User) -> None:
    message = Message(room=lobby, author=None, text="hello", number=1)
    made = {}
    for language in ("de", "en"):
        with override(language):
            made[language] = [
                render_message(message),
                render_removal(message),
                render_typing(ada),
            ]

    assert made["de"] == made["en"]
    assert "schreibt" not in made["de"][2]
    assert "typing…" not in made["en"][2]


async def test_who_is_here_is_told_to_all_alike(
    lobby: Room, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels_live.process.PRESENCE_INTERVAL", 0.02)

    tab = await Tab.open(ada, "lobby", language="de")

    await tab.hears(render_roster([ada], 1))
    await tab.leave()


def test_a_page_has_the_words_for_what_goes_to_all(lobby: Room, ada: User) -> None:
    client = Client()
    client.force_login(ada)

    page = client.get(lobby.get_absolute_url(), headers={"accept-language": "de"}).text

    assert '<template id="words-typing">{who} schreibt …</template>' in page
    assert '<template id="words-more">und {more} weitere</template>' in page
    assert '<page-words name="nobody">Gerade da</page-words>' in page
