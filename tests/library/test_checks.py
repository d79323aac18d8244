from typing import Any

import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from pytest_django import Settings

from channels_live import Live
from tests.library.live import regions  # noqa: F401  # there is one for the check

IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
REDIS = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}


def found(id: str) -> list[str]:  # noqa: A002
    messages = checks.run_checks(tags=[checks.Tags.compatibility])
    return [message.msg for message in messages if message.id == id]


# About fields of JSON, Django asks the database.
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("is_debug", "layer", "expected"),
    [
        (False, IN_MEMORY, 1),
        (True, IN_MEMORY, 0),
        (False, REDIS, 0),
        (True, REDIS, 0),
    ],
)
def test_production_is_warned_of_a_channel_layer_in_memory(
    settings: Settings, is_debug: bool, layer: dict[str, Any], expected: int
) -> None:
    settings.DEBUG = is_debug
    settings.CHANNEL_LAYERS = {"channels_live": layer}

    assert len(found("channels_live.W001")) == expected


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"FRAME_PER_SECOND": 3},
            "CHANNELS_LIVE: unknown key 'FRAME_PER_SECOND'; the keys are",
        ),
        ({7: 3}, "CHANNELS_LIVE: unknown key 7; the keys are"),
        (
            {"FRAMES_PER_SECOND": "20"},
            "CHANNELS_LIVE: expected int for 'FRAMES_PER_SECOND', got '20'.",
        ),
        (
            {"FRAMES_PER_SECOND": True},
            "CHANNELS_LIVE: expected int for 'FRAMES_PER_SECOND', got True.",
        ),
        ({"FRAME_SIZE": 1.5}, "CHANNELS_LIVE: expected int for 'FRAME_SIZE', got 1.5."),
        (
            {"CHANNEL_LAYER": None},
            "CHANNELS_LIVE: expected str for 'CHANNEL_LAYER', got None.",
        ),
        (
            {"SOCKETS_PER_USER": 0},
            "CHANNELS_LIVE: expected a positive number for 'SOCKETS_PER_USER', got 0.",
        ),
        (
            {"SOCKETS_PER_USER": -3},
            "CHANNELS_LIVE: expected a positive number for 'SOCKETS_PER_USER', got -3.",
        ),
        ({"CHANNEL_LAYER": "other"}, "CHANNEL_LAYERS has no 'other'."),
        (None, "CHANNELS_LIVE: expected a dictionary, got None."),
        ([("FRAME_SIZE", 1)], "CHANNELS_LIVE: expected a dictionary, got [("),
    ],
)
def test_a_mistake_in_the_setting_is_told(
    settings: Settings, given: Any, sentence: str
) -> None:
    settings.CHANNELS_LIVE = given

    (told,) = found("channels_live.E001")
    assert sentence in told
    with pytest.raises(CommandError) as refused:
        call_command("check")
    assert sentence in str(refused.value)


def test_an_unknown_key_is_told_which_there_are(settings: Settings) -> None:
    settings.CHANNELS_LIVE = {"x": 1}

    (told,) = found("channels_live.E001")
    assert {*told.partition("the keys are ")[2].removesuffix(".").split(", ")} == {
        *("BODY_SECONDS", "BODY_SIZE", "CHANNEL_LAYER"),
        *("FRAMES_PER_SECOND", "FRAME_SIZE"),
        *("SOCKETS_PER_SECOND", "SOCKETS_PER_USER"),
    }


def test_a_region_that_nobody_sees_is_told() -> None:
    messages = checks.run_checks()
    told = [one.msg for one in messages if one.id == "channels_live.W002"]
    assert told == ["tests.Closed has no allows(), so nobody sees it."]


def test_a_region_without_a_template_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, type[Live]] = {}
    for module in ("region", "checks"):
        monkeypatch.setattr(f"channels_live.live.{module}.regions", found)
    base = type("Base", (Live,), {"allows": lambda self, user, key: True})
    type("Bare", (base,), {})
    messages = checks.run_checks()
    told = [(one.msg, one.hint) for one in messages if "W003" in str(one.id)]
    assert told == [
        (
            "tests.Bare has no template_name, so it cannot be shown.",
            'Set template_name = "tests/bare.html".',
        )
    ]


def test_a_misspelt_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, type[Live]] = {}
    for module in ("region", "checks"):
        monkeypatch.setattr(f"channels_live.live.{module}.regions", found)
    type("Odd", (Live,), {"follow": {}, "get_contex": None, "helper": None})
    own: dict[str, Any] = dict.fromkeys(["get_context_data", "get_context"])
    type("Fine", (Live,), own)
    messages = checks.run_checks()
    assert [one.msg for one in messages if one.id == "channels_live.W004"] == [
        "tests.Odd has follow, which nothing reads: is follows meant?",
        "tests.Odd has get_contex, which nothing reads: is get_context meant?",
    ]


def test_every_mistake_is_told_at_once(settings: Settings) -> None:
    settings.CHANNELS_LIVE = {"x": 1, "FRAME_SIZE": 0, "BODY_SIZE": None}

    assert len(found("channels_live.E001")) == 3


def test_the_setting_may_be_left_out_or_change_a_part(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": IN_MEMORY, "other": IN_MEMORY}
    settings.CHANNELS_LIVE = {"CHANNEL_LAYER": "other", "FRAME_SIZE": 1}
    assert found("channels_live.E001") == []

    del settings.CHANNELS_LIVE
    assert found("channels_live.E001") == []
