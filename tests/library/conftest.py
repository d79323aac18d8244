"""What the library's tests share. They run in a project: see ../test_library.py."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site
from django.db import connection
from prometheus_client import REGISTRY
from pytest_django import Settings

from channels_live.observe.outage import database_outage, layer_outage

# On SQLite, one transaction writes at a time, and none locks a row.
if connection.vendor != "postgresql":
    collect_ignore_glob = ["*_of_postgresql.py"]


@pytest.fixture(autouse=True)
def endpoints(settings: Settings) -> None:
    """The project under test is in helpers/, whatever project is around."""
    settings.ROOT_URLCONF = "tests.library.helpers.urls"
    settings.ASGI_APPLICATION = "tests.library.helpers.asgi.application"


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
    for outage in (database_outage, layer_outage):
        for part in tuple(outage.failed):
            outage.end(part)


@pytest.fixture
def grown() -> Callable[..., float]:
    """Tells by how much a number for Prometheus has grown since the test began."""
    before = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
    }

    def grown(name: str, **labels: str) -> float:
        now = REGISTRY.get_sample_value(name, labels) or 0
        return now - before.get((name, *sorted(labels.items())), 0)

    return grown


@pytest.fixture
def tune(settings: Settings) -> Callable[..., None]:
    """Changes keys of CHANNELS_LIVE."""

    def tune(**values: Any) -> None:
        settings.CHANNELS_LIVE = {**settings.CHANNELS_LIVE, **values}

    return tune
