"""Handshakes and query strings that no browser of ours sends."""

import io
import logging
from datetime import timedelta

import pytest
from django.test import AsyncClient
from django.urls import reverse
from django.utils import timezone

from apps.chat.models import Room
from apps.chat.posting import apost_message
from apps.chat.tests.tab import Tab
from apps.chat.tests.test_entering import refusal
from apps.ops.logs import JSONFormatter
from apps.users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


async def test_an_expired_login_does_not_enter(lobby: Room, ada: User) -> None:
    client = AsyncClient()
    await client.aforce_login(ada)
    session = await client.asession()
    await session.aset_expiry(timezone.now() - timedelta(seconds=1))
    await session.asave()

    assert await refusal(await Tab.open_as(client, "lobby")) == 4401


async def test_a_login_that_ended_does_not_enter(lobby: Room, ada: User) -> None:
    client = AsyncClient()
    await client.aforce_login(ada)
    ada.is_active = False
    await ada.asave()

    assert await refusal(await Tab.open_as(client, "lobby")) == 4401


async def test_an_unknown_room_is_not_found(lobby: Room, ada: User) -> None:
    for slug in ("nowhere", "Lobby", "lobby ", "a%00b", "%F0%9F%91%A9"):
        assert await refusal(await Tab.open(ada, slug)) == 4404


async def test_a_page_that_claims_nonsense_is_sent_what_comes_from_now_on(
    lobby: Room, ada: User
) -> None:
    await apost_message(lobby, ada, "long ago")
    nonsense = [
        "",
        "-1",
        "x",
        "1.0",
        "%C2%B2",
        "%00",
        *map("9".__mul__, (19, 20, 5000)),
    ]

    tabs = [await Tab.open(ada, "lobby", after=after) for after in nonsense]

    for tab in tabs:
        await tab.is_in()
        assert "long ago" not in tab.heard
    await tabs[0].say("from now on")
    for tab in tabs:
        await tab.hears("from now on")
        await tab.leave()


async def test_no_line_of_the_log_has_the_name_of_a_private_room(
    attic: Room, ada: User
) -> None:
    eve = await User.objects.acreate_user("eve")
    log = logging.StreamHandler(io.StringIO())
    log.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(log)
    try:
        for user in (ada, eve):
            client = AsyncClient()
            await client.aforce_login(user)
            for page in (reverse("chat:room", args=["attic"]), "/chat/attic"):
                await client.get(page)
            tab = await Tab.open_as(client, "attic")
            await tab.leave()
        await (await Tab.open(None, "attic")).leave()
    finally:
        logging.getLogger().removeHandler(log)

    lines = log.stream.getvalue()
    assert lines.count("/chat/***/ 200") == lines.count("/chat/***/ 404") == 1
    assert lines.count("/ws/chat/***/ ") >= 3
    assert "attic" not in lines
