"""How much one user may send, and what happens to a user who sends more."""

from uuid import uuid4

import pytest
from pytest_django import Settings

from apps.chat.consumers import WARNINGS
from apps.chat.flood import Flood, check_messages, check_rooms
from apps.chat.models import Room
from apps.chat.tests.conftest import LIMIT, Enter
from apps.ops.cache import outage
from apps.users.models import User


def test_the_limit_is_the_one_of_the_settings_and_holds_for_each_person(
    settings: Settings,
) -> None:
    settings.CHAT_FLOOD_LIMIT = "2 per minute"
    settings.CHAT_ROOM_LIMIT = "3 per hour"

    for check, limit in ((check_messages, 2), (check_rooms, 3)):
        for user in (1, 2):
            for _ in range(limit):
                check(user)
        for user in (1, 2):
            with pytest.raises(Flood):
                check(user)


def test_while_redis_is_away_each_process_counts_for_itself(
    settings: Settings,
) -> None:
    settings.REDIS_URLS = ["redis://127.0.0.1:1/0"]

    for _ in range(LIMIT):
        check_messages(1)

    assert outage.failed
    with pytest.raises(Flood):
        check_messages(1)


@pytest.mark.django_db(transaction=True)
async def test_a_flood_is_told_with_when_to_try_again(
    lobby: Room, ada: User, enter: Enter
) -> None:
    tab = await enter(ada, lobby)
    client_id = str(uuid4())

    for _ in range(LIMIT):
        await tab.say("flood")
    await tab.say("one too many", client_id=client_id)

    await tab.hears("Slow down")
    assert f'data-client-id="{client_id}" data-retry="5000"' in tab.heard
    assert await lobby.messages.acount() == LIMIT


@pytest.mark.django_db(transaction=True)
async def test_who_goes_on_flooding_is_cut_off(
    lobby: Room, ada: User, bob: User, enter: Enter
) -> None:
    adas, bobs = await enter(ada, lobby), await enter(bob, lobby)

    for _ in range(LIMIT + WARNINGS + 1):
        await adas.say("flood")

    assert await adas.code() == 1008
    assert adas.heard.count("Slow down") == WARNINGS
    await bobs.say("peace")
    await bobs.hears("peace")
