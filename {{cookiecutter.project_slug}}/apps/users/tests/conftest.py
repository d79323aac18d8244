from uuid import uuid4

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def cache_of_its_own(settings: Settings) -> None:
    """allauth counts tries and e-mails there; those of earlier tests are no matter."""
    backend = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(uuid4())}}
