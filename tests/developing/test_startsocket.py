"""`startsocket` writes an endpoint that works once its routes are added."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from baking import Answers, Kitchen, Project, run
from people import Person
from playwright.sync_api import Browser, expect
from serving import free_port, serve
from shells import Shell
from sites import Site, runserver
from tunnels import tunnel

DEEP = pytest.mark.deep
LONG = "a_name_with_40_letters_which_are_allowed"
# Names of one word and of several, in different apps and of each form.
SOCKETS: dict[str, tuple[Answers, list[tuple[str, ...]]]] = {
    "chat": (
        {},
        [
            ("web", "ticker"),
            ("chat", "live_prices", "--json"),
            ("chat", LONG, "--live"),
        ],
    ),
    "plain": (
        {"include_chat_demo": False},
        [
            ("users", LONG),
            ("web", "calendar", "--json"),
            ("web", "newest_people", "--live"),
        ],
    ),
}
IMPORT = """
import datetime
from django.contrib.auth import get_user_model

joined = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
get_user_model().objects.create(username="elder", date_joined=joined)
"""
# What is to be added to which file.
ROUTES = re.compile(
    r"(config/\w+\.py):\s+(from \S+ import \w+)\s+(path\(.*\),)$", re.MULTILINE
)
REGION = re.compile(
    r"(apps/\w+/live\.py), which may be new:\s+(from (\S+) import (\w+) as \4)$", re.M
)
URL = re.compile(r"http://localhost:8000(\S+)")


# To a project with the demo, test_project_readme.py adds an endpoint.
@pytest.mark.parametrize("kind", ["plain", pytest.param("chat", marks=DEEP)])
def test_an_endpoint_works_with_the_routes_that_are_printed(
    kitchen: Kitchen, browser: Browser, kind: str
) -> None:
    answers, sockets = SOCKETS[kind]
    project = kitchen.bake(answers)
    before = files(project)
    said = [project.manage("startsocket", *words) for words in sockets]
    written = sorted(set(files(project)) - set(before))
    assert [name for name in before if files(project)[name] != before[name]] == []
    forms = [words[2:] for words in sockets]
    count = 4 * len(sockets) - forms.count(("--live",))
    assert len(written) == "".join(said).count("created") == count
    project.run("ruff", "check", "--no-cache")
    project.run("ruff", "format", "--check", "--no-cache")

    for one in said:
        add_routes(project, one)
    project.manage("check", "--fail-level", "WARNING")
    tests = [name for name in written if "/tests/" in name]
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert f"{3 * len(sockets)} passed" in done.stdout

    project.manage("migrate")
    pages = [page for one in said for page in URL.findall(one)]
    assert len(pages) == len(sockets)
    port = free_port()
    with two_people(project, browser, port) as (site, ada, bob):
        for page, form in zip(pages, forms, strict=True):
            if form == ("--live",):
                assert_shows_who_joins(page, site, ada, bob)
            else:
                assert_live(page, ada, bob)
        # The home page's socket, and its region.
        bob.page.goto("/")
        expect(bob.page.locator("#ping-state")).to_have_text("connected")
        expect(bob.page.locator("live-region")).to_have_attribute("data-state", "live")
        ada.photograph(f"startsocket-{kind}")
        ada.fits()
        assert ada.complaints == bob.complaints == []


def test_what_is_there_already_is_left_alone(kitchen: Kitchen) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    project.manage("startsocket", "web", "ticker")
    page = project.path / "apps" / "web" / "templates" / "web" / "ticker.html"
    page.unlink()
    before = files(project)

    command = (project.python, "manage.py", "startsocket", "web", "ticker")
    done = run(*command, cwd=project.path, ok=False)

    assert done.returncode == 1
    assert "apps/web/ticker.py already exists" in done.stderr
    assert "Nothing was written" in done.stderr
    assert files(project) == before


def add_routes(project: Project, said: str) -> None:
    """Add the routes to where the command says that they belong."""
    routes = ROUTES.findall(said)
    regions = REGION.findall(said)
    for name, line, *_ in regions:
        path = project.path / name
        path.write_text(f"{path.read_text() if path.exists() else ''}\n{line}\n")
    assert [name for name, *_ in routes] == [
        *(["config/channels_urls.py"] if not regions else []),
        "config/urls.py",
    ]
    for name, line, route in routes:
        path = project.path / name
        text, count = re.subn(
            r"(?m)^(\w*urlpatterns = \[)$",
            rf"{line}\n\n\1\n    {route}",
            path.read_text(),
        )
        assert count == 1
        path.write_text(text)


def files(project: Project) -> dict[str, bytes]:
    return {
        str(path.relative_to(project.path)): path.read_bytes()
        for folder in ("apps", "config")
        for path in (project.path / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@contextmanager
def two_people(
    project: Project, browser: Browser, port: int
) -> Iterator[tuple[Site, Person, Person]]:
    """A server of the project, and two people at it who are logged in.

    The second comes through a tunnel that changes the header Host.
    """
    with (
        Shell(project) as shell,
        tunnel(port, rewrites=True) as line,
        serve(
            runserver(project, port),
            cwd=project.path,
            port=port,
            env={"CSRF_TRUSTED_ORIGINS": line.url},
        ) as server,
    ):
        site = Site(server, project, "", {}, shell)
        site.settle("ada", "bob")
        bob = Person(browser, line.url, session=site.sessions["bob"])
        people = site.invite(browser, "ada"), bob
        yield site, *people
        for person in people:
            person.context.close()
        assert "Traceback" not in server.log


def assert_shows_who_joins(page: str, site: Site, *people: Person) -> None:
    """Whoever joins shows on all pages, without a reload."""
    for person in people:
        person.page.goto(page)
        region = person.page.locator("live-region")
        expect(region).to_have_attribute("data-state", "live")
        expect(region.locator("li").last).to_have_text("ada")
    site.settle("newcomer")
    for person in people:
        first = person.page.locator("live-region li").first
        expect(first).to_have_text("newcomer")
    # Whoever is last in the table, which is in no order if its keys are UUIDs.
    site.shell.run(IMPORT)
    for person in people:
        items = person.page.locator("live-region li")
        expect(items).to_have_text(["newcomer", "bob", "ada", "elder"])


def assert_live(page: str, ada: Person, bob: Person) -> None:
    """What one types, both see; it stays text."""
    for person in (ada, bob):
        person.page.goto(page)
        expect(person.page.get_by_role("status")).to_have_text("Online")
    for number, (person, text) in enumerate([(ada, "5 < <b>7"), (bob, "&amp;")], 1):
        field = person.page.get_by_label("Say something")
        if number == 1:
            expect(field).to_be_focused()
        field.fill(text)
        field.press("Enter")
        expect(field).to_be_empty()
        for one in (ada, bob):
            items = one.page.get_by_role("log").locator("li")
            expect(items).to_have_count(number)
            expect(items.last).to_contain_text(f": {text}")
