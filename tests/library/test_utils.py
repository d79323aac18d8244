import pytest
from django.contrib.sites.models import Site
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import override_script_prefix
from django.urls import NoReverseMatch
from pytest_django import Settings

from channels_live.utils import (
    absolute_url,
    websocket_absolute_url,
    websocket_reverse,
)


def move_site(site: Site, domain: str) -> None:
    site.domain = domain
    site.save()


def request_from(host: str, *, secure: bool = False) -> HttpRequest:
    return RequestFactory().get("/", headers={"host": host}, secure=secure)


def test_a_name_becomes_a_path() -> None:
    assert websocket_reverse("plain") == "/ws/plain/"


def test_arguments_fill_the_path_in_order() -> None:
    assert websocket_reverse("room", args=[7, "attic"]) == "/ws/room/7/attic/"


def test_keywords_fill_the_path_by_name() -> None:
    kwargs = {"name": "attic", "number": 7}

    assert websocket_reverse("room", kwargs=kwargs) == "/ws/room/7/attic/"


def test_what_is_no_part_of_a_url_is_quoted() -> None:
    path = websocket_reverse("room", args=[7, "a b?ü"])

    assert path == "/ws/room/7/a%20b%3F%C3%BC/"


@pytest.mark.parametrize(
    ("name", "args"),
    [("nowhere", []), ("room", []), ("room", ["seven", "attic"]), ("plain", [1])],
)
def test_what_no_route_fits_raises_no_reverse_match(
    name: str, args: list[object]
) -> None:
    with pytest.raises(NoReverseMatch):
        websocket_reverse(name, args=args)


@pytest.mark.parametrize("mount", ["/app", "/app/"])
def test_a_mount_point_comes_first(settings: Settings, mount: str) -> None:
    settings.FORCE_SCRIPT_NAME = mount

    assert websocket_reverse("plain") == "/app/ws/plain/"


async def test_a_mount_point_comes_first_in_async_code(settings: Settings) -> None:
    settings.FORCE_SCRIPT_NAME = "/app"

    assert websocket_reverse("plain") == "/app/ws/plain/"


def test_a_mount_point_comes_once_within_a_request(settings: Settings) -> None:
    settings.FORCE_SCRIPT_NAME = "/app"

    with override_script_prefix("/app/"):
        assert websocket_reverse("plain") == "/app/ws/plain/"


def test_the_mount_point_of_the_server_comes_first() -> None:
    with override_script_prefix("/app/"):
        assert websocket_reverse("plain") == "/app/ws/plain/"


@pytest.mark.parametrize(
    ("is_https", "url"),
    [(False, "ws://example.org/ws/"), (True, "wss://example.org/ws/")],
)
def test_without_a_request_the_site_and_the_setting_decide(
    site: Site, settings: Settings, is_https: bool, url: str
) -> None:
    settings.USE_HTTPS_IN_ABSOLUTE_URLS = is_https

    assert websocket_absolute_url("/ws/") == url
    assert absolute_url("/ws/") == url.replace("ws", "http", 1)


@pytest.mark.parametrize("domain", ["localhost:8000", "[::1]:8000", "[2001:db8::1]"])
def test_the_site_may_have_a_port_or_an_ipv6_address(
    site: Site, settings: Settings, domain: str
) -> None:
    settings.USE_HTTPS_IN_ABSOLUTE_URLS = False
    move_site(site, domain)

    assert websocket_absolute_url("/ws/") == f"ws://{domain}/ws/"


def test_a_site_that_moves_is_found_at_once(site: Site, settings: Settings) -> None:
    settings.USE_HTTPS_IN_ABSOLUTE_URLS = False
    websocket_absolute_url("/ws/")

    move_site(site, "example.com")

    assert websocket_absolute_url("/ws/") == "ws://example.com/ws/"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "example.com"]
)
def test_with_a_request_the_host_is_the_one_of_the_page(
    settings: Settings, host: str
) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "example.com"]

    url = websocket_absolute_url("/ws/", request=request_from(host))

    assert url == f"ws://{host}/ws/"


@pytest.mark.parametrize("is_https", [False, True])
def test_with_a_request_the_scheme_is_the_one_of_the_page(
    settings: Settings, is_https: bool
) -> None:
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.USE_HTTPS_IN_ABSOLUTE_URLS = not is_https
    request = request_from("example.com", secure=is_https)

    url = websocket_absolute_url("/ws/", request=request)

    assert url == f"{'wss' if is_https else 'ws'}://example.com/ws/"


@pytest.mark.parametrize("path", ["", "ws/", "https://example.com/ws/"])
def test_what_is_no_path_raises_value_error(path: str) -> None:
    with pytest.raises(ValueError, match="starts with '/'"):
        websocket_absolute_url(path)


@pytest.mark.django_db(transaction=True)
async def test_the_site_is_found_from_async_code(
    site: Site, settings: Settings
) -> None:
    settings.USE_HTTPS_IN_ABSOLUTE_URLS = False

    for _ in range(2):
        Site.objects.clear_cache()  # as Django does after migrate and flush
        assert websocket_absolute_url("/ws/") == "ws://example.org/ws/"
        assert absolute_url("/") == "http://example.org/"
