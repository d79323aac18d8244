from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site
from pytest_django import Settings

from apps.realtime.outage import database_outage, layer_outage


@pytest.fixture(autouse=True)
def routes(settings: Settings) -> None:
    settings.WEBSOCKET_URLCONF = "apps.realtime.tests.routes"


@pytest.fixture
def site(db: None, settings: Settings) -> Iterator[Site]:
    """The Site, at example.org; nothing is cached of it."""
    defaults = {"domain": "example.org", "name": "Example"}
    site, _ = Site.objects.update_or_create(pk=settings.SITE_ID, defaults=defaults)
    Site.objects.clear_cache()
    yield site
    Site.objects.clear_cache()


@pytest.fixture
def ada(db: None) -> Any:
    return get_user_model().objects.create_user("ada")


@pytest.fixture
def bob(db: None) -> Any:
    return get_user_model().objects.create_user("bob")


@pytest.fixture(autouse=True)
def services_that_answer() -> Iterator[None]:
    """Forget which services the test before took away."""
    yield
    database_outage.forget()
    layer_outage.forget()
