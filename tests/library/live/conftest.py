"""What the tests of live regions share. They follow the users of a project."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from pytest_django import Settings

from channels_live.live.changes import Ledger
from channels_live.observe.outage import database_outage, layer_outage
from tests.library.live import regions

TEMPLATES = {
    "card.html": "<b>{{ user.first_name }}</b>",
    "team.html": "{% for one in people %}<i>{{ one.username }}</i>{% endfor %}",
    "form.html": "<form>{% csrf_token %}</form>",
    "text.html": "{{ text }}",
    "isolated.html": "[{{ request }}{{ user }}]{{ text }}",
    "wrong.html": "{% nonsense %}",
    "where.html": "{% load i18n %}{% translate 'Monday' %} {{ day }} {% url 'home' %}",
    "nested.html": "{% load channels_live %}{% live 'tests.Card' 1 %}",
}


@pytest.fixture(autouse=True)
def endpoints() -> None:
    """The project under test is the one around."""


@pytest.fixture(autouse=True)
def templates(settings: Settings) -> None:
    (engine,) = settings.TEMPLATES
    loaders = [
        ("django.template.loaders.locmem.Loader", TEMPLATES),
        "django.template.loaders.filesystem.Loader",
        "django.template.loaders.app_directories.Loader",
    ]
    options = {**engine["OPTIONS"], "loaders": loaders}
    settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": options}]
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    yield
    regions.reset()
    for outage in (database_outage, layer_outage):
        for part in tuple(outage.failed):
            outage.end(part)


@pytest.fixture
def ada(db: None) -> Any:
    return get_user_model().objects.create_user("ada", first_name="Ada")


@pytest.fixture
def bob(db: None) -> Any:
    return get_user_model().objects.create_user("bob", first_name="Bob")


@pytest.fixture
def ledger() -> Ledger:
    """How far the database of the tests is read."""
    return Ledger("default")
