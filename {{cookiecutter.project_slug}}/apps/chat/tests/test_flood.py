"""How much one person may say, and what happens to who says more."""

from uuid import uuid4

import pytest
from pytest_django import Settings

from apps.chat import flood
from apps.chat.consumers import WARNINGS
from apps.chat.flood import Flood, check_flood, check_rooms, get_limits
from apps.chat.models import Room
from apps.chat.tests.conftest import LIMIT, Enter
from apps.users.models import User


def use_settings(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, redis_urls: list[str]
) -> None:
    settings.CHAT_FLOOD_LIMIT = "2 per minute"
    settings.CHAT_ROOM_LIMIT = "2 per hour"
    settings.REDIS_URLS = redis_urls
    limits = get_limits.__wrapped__()
    monkeypatch.setattr(flood, "get_limits", lambda: limits)


def test_the_limit_is_the_one_of_the_settings_and_holds_for_each_person(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    use_settings(monkeypatch, settings, redis_urls=[])

    for check in (check_flood, check_rooms):
        for somebody in (1, 1, 2, 2):
            check(somebody)

        for somebody in (1, 2):
            with pytest.raises(Flood):
                check(somebody)


def test_while_redis_is_away_each_process_counts_for_itself(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    use_settings(monkeypatch, settings, redis_urls=["redis://127.0.0.1:1/0"])

    check_flood(1)
    check_flood(1)

    assert fallback.failed_at
    with pytest.raises(Flood):
        check_flood(1)


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
    assert "".join(adas.frames).count("Slow down") == WARNINGS
    await bobs.say("peace")
    await bobs.hears("peace")
