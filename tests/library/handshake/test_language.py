"""The language that sockets are spoken to in."""

from pathlib import Path
from typing import Any

import pytest
from django.utils.translation import get_language, override
from pytest_django import Settings

from channels_live import in_thread
from channels_live.process import get_process
from tests.library.helpers.browsing import connect, only, socket_of
from tests.library.helpers.catalogs import write_catalog

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def german(settings: Settings, tmp_path: Path) -> None:
    """The site speaks German too."""
    said = {
        "Expected JSON, got something else.": (
            "Erwartet wird JSON, gekommen ist etwas anderes."
        )
    }
    write_catalog(tmp_path, "de", said)
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    settings.LOCALE_PATHS = [tmp_path]


@pytest.mark.parametrize(
    ("accepted", "cookie", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "", "de"),
        ("de-AT", "", "de"),
        ("en-GB,de;q=0.5", "", "en"),
        ("de", "en", "en"),
        ("en", "de", "de"),
        ("tlh,de;q=0.1", "", "de"),
        ("tlh", "tlh", "en"),
        ("*", "", "en"),
        ("", "../../de", "en"),
        ("\xff\0;q=x,,;", "\0", "en"),
        ("de," * 5000, "de" * 5000, "de"),
    ],
    ids=lambda value: f"{value!a:.20}",
)
async def test_it_is_decided_as_for_pages(
    accepted: str, cookie: str, language: str
) -> None:
    languages: list[str | None] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        languages.append(get_language())

    cookies = f"django_language={cookie}" if cookie else ""
    socket = socket_of("/", accept_language=accepted, cookie=cookies)
    await only(inner)(socket.scope, None, None)

    assert languages == [language]


async def test_each_socket_is_told_in_its_own() -> None:
    sockets = {
        language: await connect("/ws/shout/", accept_language=language)
        for language in ("de", "en")
    }

    for _ in range(2):
        for one in sockets.values():
            await one.send_to(text_data="no JSON")
        told = {language: await one.receive_from() for language, one in sockets.items()}
        assert told == {
            "de": "Rejected: Erwartet wird JSON, gekommen ist etwas anderes.",
            "en": "Rejected: Expected JSON, got something else.",
        }
    for one in sockets.values():
        await one.disconnect()


async def test_it_goes_along_into_a_thread() -> None:
    with override("de"):
        assert await in_thread(get_language)() == "de"


async def test_what_is_done_for_all_sockets_has_not_that_of_one() -> None:
    languages: list[str | None] = []

    async def note() -> None:
        languages.append(await in_thread(get_language)())

    with override("de"):
        await get_process().tasks.spawn(note())

    assert languages == ["en-us"]
