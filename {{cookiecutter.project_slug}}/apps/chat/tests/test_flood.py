"""Where the flood limit comes from; what it does is in test_posting and test_talking."""

import pytest
from pytest_django import Settings

from apps.chat import flood
from apps.chat.flood import Flood, check_flood, get_limiter


def use_settings(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, redis_urls: list[str]
) -> None:
    settings.CHAT_FLOOD_LIMIT = "2 per minute"
    settings.REDIS_URLS = redis_urls
    limiter = get_limiter.__wrapped__()
    monkeypatch.setattr(flood, "get_limiter", lambda: limiter)


def test_the_limit_is_the_one_of_the_settings_and_holds_for_each_person(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    use_settings(monkeypatch, settings, redis_urls=[])

    for author in (1, 1, 2, 2):
        check_flood(author)

    for author in (1, 2):
        with pytest.raises(Flood):
            check_flood(author)


def test_while_redis_is_away_everything_is_let_through(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    use_settings(monkeypatch, settings, redis_urls=["redis://127.0.0.1:1/0"])

    for _ in range(10):
        check_flood(1)
