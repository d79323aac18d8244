"""The path of a WebSocket route in a template; test_templatetags.py has the URLs."""

import pytest
from django.template import Context, Engine
from django.test.utils import override_script_prefix
from django.urls import NoReverseMatch

ENGINE = Engine(libraries={"channels_live": "channels_live.templatetags.channels_live"})


def render(tag: str) -> str:
    text = f"{{% load channels_live %}}{{% websocket_path {tag} %}}"
    return ENGINE.from_string(text).render(Context({"name": "a&b"}))


def test_it_names_no_host() -> None:
    assert render("'plain'") == "/ws/plain/"
    assert render("'room' 7 name") == "/ws/room/7/a&amp;b/"
    assert render("'room' number=7 name=name") == "/ws/room/7/a&amp;b/"


def test_it_begins_where_the_project_is_mounted() -> None:
    with override_script_prefix("/below/"):
        assert render("'plain'") == "/below/ws/plain/"


def test_what_no_route_fits_raises_no_reverse_match() -> None:
    with pytest.raises(NoReverseMatch):
        render("'room'")
