from pathlib import Path
from typing import Any

import pytest
from django.contrib.sites.models import Site
from django.http import HttpRequest
from django.template import Context, Engine, RequestContext
from django.test import RequestFactory
from django.urls import NoReverseMatch
from pytest_django import Settings

from tests.library import helpers

LINKS = Path(helpers.__file__).with_name("links.html").read_text()
ENGINE = Engine(libraries={"channels_live": "channels_live.templatetags.channels_live"})


@pytest.fixture
def page(settings: Settings) -> HttpRequest:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    return RequestFactory().get("/", headers={"host": "127.0.0.1:8000"})


def render(context: Context) -> list[str]:
    return ENGINE.from_string(LINKS).render(context).split()


def test_in_a_page_the_host_is_its_own(page: HttpRequest) -> None:
    context: dict[str, Any] = {"name": "attic", "request": page}

    assert render(RequestContext(page, context)) == [
        "ws://127.0.0.1:8000/ws/plain/",
        "ws://127.0.0.1:8000/ws/room/7/attic/",
        "ws://127.0.0.1:8000/ws/room/7/a&amp;b/",
    ]


def test_without_a_request_the_host_is_the_site(site: Site, settings: Settings) -> None:
    settings.USE_HTTPS_IN_ABSOLUTE_URLS = True

    links = render(Context({"name": "attic"}))

    assert links[:2] == [
        "wss://example.org/ws/plain/",
        "wss://example.org/ws/room/7/attic/",
    ]


@pytest.mark.django_db(transaction=True)
async def test_the_site_is_found_from_async_code(
    site: Site, settings: Settings
) -> None:
    settings.USE_HTTPS_IN_ABSOLUTE_URLS = True
    Site.objects.clear_cache()

    assert render(Context({"name": "attic"}))[0] == "wss://example.org/ws/plain/"


def test_what_no_route_fits_raises_no_reverse_match(page: HttpRequest) -> None:
    with pytest.raises(NoReverseMatch):
        render(Context({"name": "", "request": page}))
