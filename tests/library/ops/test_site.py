import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.sites.models import Site
from django.db import connection
from django.test import override_settings

set_site: Callable[..., None] = importlib.import_module(
    "apps.web.migrations.0001_site"
).set_site

pytestmark = pytest.mark.django_db


def migrate(**overrides: Any) -> Site:
    with override_settings(**overrides):
        # A schema editor proper cannot be had inside a transaction on SQLite.
        set_site(apps, SimpleNamespace(connection=connection))
    return Site.objects.get(pk=settings.SITE_ID)


def test_migrations_have_set_the_site() -> None:
    site = Site.objects.get_current()

    assert site.domain == settings.SITE_DOMAIN
    assert site.name == settings.PROJECT_NAME[:50]


def test_an_existing_site_is_changed_and_no_second_one_made() -> None:
    site = migrate(SITE_DOMAIN="harbour.example", PROJECT_NAME="Harbour")

    assert (site.domain, site.name) == ("harbour.example", "Harbour")
    assert Site.objects.count() == 1


def test_a_long_name_is_cut() -> None:
    assert migrate(PROJECT_NAME="é" * 200).name == "é" * 50


@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_the_next_site_gets_a_key_of_its_own() -> None:
    Site.objects.all().delete()

    assert migrate().pk != Site.objects.create(domain="other.example").pk
