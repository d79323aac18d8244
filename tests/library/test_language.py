"""The language that sockets are spoken to in."""

from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import get_language, override

from apps.realtime.hub import get_hub
from apps.realtime.language import LanguageMiddleware
from apps.realtime.routing import WebSocketRouter
from apps.realtime.tests.routes import websocket_urlpatterns
from apps.realtime.threads import in_thread

# Channels looks after database connections, used or not.
pytestmark = pytest.mark.django_db

router = LanguageMiddleware(WebSocketRouter(websocket_urlpatterns))


async def application(scope: Any, receive: Any, send: Any) -> None:
    scope = dict(scope, user=AnonymousUser(), cookies={})
    await router(scope, receive, send)


def socket(language: str) -> WebsocketCommunicator:
    headers = [(b"accept-language", language.encode())]
    return WebsocketCommunicator(application, "/ws/shout/", headers=headers)


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

    scope = {
        "cookies": {"django_language": cookie} if cookie else {},
        "headers": [(b"accept-language", accepted.encode("latin-1"))],
    }
    await LanguageMiddleware(inner)(scope, None, None)

    assert languages == [language]


async def test_each_socket_is_told_in_its_own() -> None:
    sockets = {language: socket(language) for language in ("de", "en")}
    for one in sockets.values():
        assert await one.connect() == (True, None)

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
        await get_hub().spawn(note())

    assert languages == ["en-us"]
