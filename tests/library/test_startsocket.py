"""What `startsocket` makes of names and of files of routes. It is tried out as a whole
where this project comes from."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.realtime.startsocket.naming import BadName, Name
from apps.realtime.startsocket.routes import Route, RouteFile, RouteTaken, Unreadable

PRICES = Route("prices/", "prices_page", "prices", "apps.web.prices")
HEAD = "from django.urls import path\n\nfrom apps.web import views\n"
IMPORT = "from apps.web.prices import prices_page\n"
ITEM = '    path("prices/", prices_page, name="prices"),\n'


@pytest.mark.parametrize(
    ("text", "snake", "camel", "slug"),
    [
        ("ticker", "ticker", "Ticker", "ticker"),
        ("LivePrices", "live_prices", "LivePrices", "live-prices"),
        ("live-prices", "live_prices", "LivePrices", "live-prices"),
        ("live_prices", "live_prices", "LivePrices", "live-prices"),
        ("HTTPStatus2", "http_status2", "HttpStatus2", "http-status2"),
    ],
)
def test_a_name_may_be_written_in_several_ways(
    text: str, snake: str, camel: str, slug: str
) -> None:
    name = Name.parse(text)
    assert (name.snake, name.camel, name.slug) == (snake, camel, slug)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "begin with a letter"),
        ("2fast", "begin with a letter"),
        ("a__b", "single underscores"),
        ("../x", "ASCII"),
        ("naïve", "ASCII"),
        ("x" * 41, "too long"),
        ("Class", "keyword"),
        ("models", "another part"),
        ("test_x", "another part"),
    ],
)
def test_a_bad_name_is_told_why(text: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("startsocket", "web", text)
    with pytest.raises(BadName):
        Name.parse(text)


@pytest.mark.parametrize("app", ["nothing", "auth", "django.contrib.auth", "realtime"])
def test_an_app_that_is_not_of_this_project_is_refused(app: str) -> None:
    with pytest.raises(CommandError, match=rf"no app “{app}”\. It has: .*web"):
        call_command("startsocket", app, "ticker")


def test_what_belongs_to_something_else_is_left_alone() -> None:
    with pytest.raises(CommandError, match=r"home\.html is there already"):
        call_command("startsocket", "web", "home")
    with pytest.raises(CommandError, match=r"config/urls\.py has path\('accounts/'"):
        call_command("startsocket", "web", "accounts")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "urls.py"


def added(file: Path, text: str, route: Route = PRICES) -> str:
    file.write_bytes(text.encode())
    RouteFile(file, "urlpatterns").add(route)
    return file.read_bytes().decode()


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ("urlpatterns = [\n    x,\n]\n", f"urlpatterns = [\n{ITEM}    x,\n]\n"),
        (
            "urlpatterns: list = [  # é\n    # y\n    x(),\n]  # z\n",
            f"urlpatterns: list = [  # é\n{ITEM}    # y\n    x(),\n]  # z\n",
        ),
        ("urlpatterns = []\n", f"urlpatterns = [\n{ITEM}]\n"),
        (
            "urlpatterns = [x('é'), y()]  # z\n",
            f"urlpatterns = [\n{ITEM}    x('é'),\n    y(),\n]  # z\n",
        ),
        (
            "urlpatterns = [\n    x,\n]\nurlpatterns += y\n",
            f"urlpatterns = [\n{ITEM}    x,\n]\nurlpatterns += y\n",
        ),
    ],
)
def test_a_route_is_added_and_all_else_stays(
    file: Path, routes: str, expected: str
) -> None:
    text = added(file, f'"""Ours."""\n\n{HEAD}\n{routes}')
    assert text == f'"""Ours."""\n\n{HEAD}{IMPORT}\n{expected}'
    assert RouteFile(file, "urlpatterns").has(PRICES)


def test_the_file_keeps_its_ends_of_lines(file: Path) -> None:
    text = added(file, f"{HEAD}\nurlpatterns = [\n]\n".replace("\n", "\r\n"))
    assert text == f"{HEAD}{IMPORT}\nurlpatterns = [\n{ITEM}]\n".replace("\n", "\r\n")


def test_the_import_has_its_place(file: Path) -> None:
    first = "from apps.web.a import (\n    b,\n)\n"
    last = "from apps.web.quotes import c\n"
    text = added(file, f"import os\n\n{first}{last}\nurlpatterns = [\n]\n")
    assert f"{first}{IMPORT}{last}" in text
    text = added(file, "import os\n\nurlpatterns = [\n]\n")
    assert text.startswith(f"import os\n\n{IMPORT}\nurlpatterns")
    text = added(file, "import os\n\nfrom . import views\n\nurlpatterns = [\n]\n")
    assert text.startswith(f"import os\n\n{IMPORT}\nfrom . import views\n\nurlp")
    # Somebody took the route away and left the import.
    text = added(file, f"{IMPORT}\nurlpatterns = [\n]\n")
    assert text.count(IMPORT) == 1


@pytest.mark.parametrize(
    "taken", ['path("prices/", x)', 'path("x/", x, name="prices")']
)
def test_a_route_that_is_taken_is_told(file: Path, taken: str) -> None:
    file.write_text(f"{HEAD}\nurlpatterns = [{taken}]\n")
    with pytest.raises(RouteTaken, match="has path"):
        RouteFile(file, "urlpatterns").has(PRICES)


@pytest.mark.parametrize(
    "text",
    [
        "def f(:\n",
        "import os\n",
        "import os\nurlpatterns = make()\n",
        "import os\nurlpatterns = [x,\n    y]\n",
        "import os\nurlpatterns = [x]\n",
        "urlpatterns = [\n]\n",
    ],
)
def test_a_file_that_is_not_understood_is_left_alone(file: Path, text: str) -> None:
    with pytest.raises(Unreadable):
        added(file, text)
    assert file.read_text() == text
