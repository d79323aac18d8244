"""What `startsocket` makes of names. It is tried out as a whole by the template."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings


@pytest.fixture
def web(tmp_path: Path, settings: Settings) -> Path:
    """An app of a project in which nothing is yet."""
    settings.BASE_DIR = tmp_path
    folder = tmp_path / "apps" / "web"
    folder.mkdir(parents=True)
    return folder


def files(folder: Path) -> set[str]:
    found = folder.rglob("*")
    return {path.relative_to(folder).as_posix() for path in found if path.is_file()}


@pytest.mark.parametrize(
    ("name", "camel", "slug"),
    [
        ("ticker", "Ticker", "ticker"),
        ("live_prices", "LivePrices", "live-prices"),
        ("http_status2", "HttpStatus2", "http-status2"),
    ],
)
def test_a_name_is_spelled_as_each_place_has_it(
    web: Path, name: str, camel: str, slug: str
) -> None:
    printed = StringIO()

    call_command("startsocket", "web", name, stdout=printed)

    assert files(web) == {
        f"{name}.py",
        f"templates/web/{name}.html",
        f"static/web/{name}.js",
        f"tests/test_{name}.py",
        "tests/__init__.py",
    }
    assert f"class {camel}Consumer(" in (web / f"{name}.py").read_text()
    said = printed.getvalue()
    assert f"    from apps.web.{name} import {camel}Consumer\n" in said
    route = f'path("ws/{slug}/", {camel}Consumer.as_asgi(), name="ws_{name}"),'
    assert f"    {route}\n" in said
    assert f"    from apps.web.{name} import {name}_page\n" in said
    assert f'    path("{slug}/", {name}_page, name="{name}"),\n' in said
    assert f"pytest apps/web/tests/test_{name}.py" in said


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("--json", ["config/channels_urls.py", "config/urls.py"]),
        ("--live", ["apps/web/live.py", "config/urls.py"]),
    ],
)
def test_a_form_has_its_files_and_what_is_to_be_added(
    web: Path, form: str, told: list[str]
) -> None:
    printed = StringIO()

    call_command("startsocket", "web", "ticker", form, stdout=printed)

    names = {"ticker.py", "templates/web/ticker.html", "tests/test_ticker.py"}
    script = set() if form == "--live" else {"static/web/ticker.js"}
    assert files(web) == {*names, *script, "tests/__init__.py"}
    assert all(name in printed.getvalue() for name in told)


def test_one_form_is_chosen(web: Path) -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("startsocket", "web", "ticker", "--live", "--json")
    assert files(web) == set()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "beginning with a letter"),
        ("2fast", "beginning with a letter"),
        ("a__b", "single underscores"),
        ("../x", "ASCII"),
        ("naïve", "ASCII"),
        ("LivePrices", "lower-case"),
        ("live-prices", "as in live_prices"),
        ("class", "keyword"),
    ],
)
def test_a_bad_name_is_told_why(web: Path, text: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("startsocket", "web", text)
    assert files(web) == set()


@pytest.mark.parametrize(
    "app", ["nothing", "auth", "django.contrib.auth", "channels_live"]
)
def test_an_app_that_is_not_of_this_project_is_refused(app: str) -> None:
    with pytest.raises(CommandError, match=rf"no “apps\.{app}”"):
        call_command("startsocket", app, "ticker")


@pytest.mark.parametrize(("name", "route"), [("home", "home"), ("ping", "ws_ping")])
def test_a_name_that_a_route_has_is_refused(
    web: Path, settings: Settings, name: str, route: str
) -> None:
    settings.ROOT_URLCONF = "config.urls"
    with pytest.raises(CommandError, match=f"route is named “{route}”"):
        call_command("startsocket", "web", name)
    assert files(web) == set()


def test_a_live_region_may_have_the_name_of_a_socket(
    web: Path, settings: Settings
) -> None:
    settings.ROOT_URLCONF = "config.urls"
    call_command("startsocket", "web", "ping", "--live", stdout=StringIO())
    assert (web / "ping.py").exists()


def test_an_app_may_be_named_as_in_the_settings(web: Path) -> None:
    call_command("startsocket", "apps.web", "ticker", stdout=StringIO())
    assert (web / "ticker.py").exists()


@pytest.mark.parametrize("there", ["home.py", "templates/web/home.html", "home/x.py"])
def test_what_belongs_to_something_else_is_left_alone(web: Path, there: str) -> None:
    (web / there).parent.mkdir(parents=True, exist_ok=True)
    (web / there).write_text("mine")

    with pytest.raises(CommandError, match=r"home\S* already exists"):
        call_command("startsocket", "web", "home")
    assert files(web) == {there}
    assert (web / there).read_text() == "mine"
