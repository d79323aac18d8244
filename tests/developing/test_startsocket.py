"""`startsocket` writes an endpoint that works at once, whatever the project is."""

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from baking import NOTHING, Answers, Kitchen, Project, environment
from people import Person
from playwright.sync_api import Browser, expect
from serving import free_port, serve
from shells import Shell
from sites import Site, runserver

# Apps whose routes are mounted in different ways, and names in different spellings.
SOCKETS: dict[str, tuple[Answers, dict[str, str]]] = {
    "htmx": ({}, {"web": "ticker", "chat": "live-prices"}),
    "javascript": ({"chat_client": "javascript"}, {"apps.users": "LivePrices"}),
    "plain": (
        {"include_chat_demo": False},
        {"web": "calendar", "users": "a_name_with_40_letters_which_are_allowed"},
    ),
}
URLS = re.compile(r"Open http://localhost:8000(\S+)")


@pytest.mark.parametrize(
    "kind", ["htmx", pytest.param("javascript", marks=pytest.mark.deep), "plain"]
)
def test_an_endpoint_works_the_moment_it_is_written(
    kitchen: Kitchen, browser: Browser, kind: str
) -> None:
    answers, sockets = SOCKETS[kind]
    project = kitchen.bake(answers)
    before = files(project)
    said = "".join(project.manage("startsocket", *pair) for pair in sockets.items())
    after = files(project)
    written = sorted(set(after) - set(before))
    assert len(written) == 4 * len(sockets)
    assert said.count("created") == 4 * len(sockets)

    assert (
        project.manage("startsocket", *list(sockets.items())[-1]).count("unchanged")
        == 4
    )
    assert files(project) == after

    project.run("ruff", "check", "--no-cache")
    project.run("ruff", "format", "--check", "--no-cache")
    project.manage("check", "--fail-level", "WARNING")
    tests = [name for name in written if "/tests/" in name]
    done = project.run("pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert f"{3 * len(sockets)} passed" in done.stdout

    if kind == "javascript":  # its client is that of the plain project
        return
    project.manage("migrate")
    pages = URLS.findall(said)
    assert len(pages) == len(sockets)
    port = free_port()
    with two_people(project, browser, port) as (ada, bob):
        for page in pages:
            assert_live(page, ada, bob)
        ada.photograph(f"startsocket-{kind}")
        assert ada.complaints == bob.complaints == []


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
) -> Iterator[tuple[Person, Person]]:
    """A server of the project, and two people at it who are logged in."""
    with (
        Shell(project) as shell,
        serve(runserver(project, port), cwd=project.path, port=port) as server,
    ):
        site = Site(server, project, "", {}, shell)
        site.settle("ada", "bob")
        people = site.invite(browser, "ada"), site.invite(browser, "bob")
        yield people
        for person in people:
            person.context.close()
        assert "Traceback" not in server.log


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


def test_what_was_changed_is_overwritten_only_where_the_answer_is_yes(
    kitchen: Kitchen,
) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    project.manage("startsocket", "web", "ticker")
    consumer = project.path / "apps" / "web" / "ticker.py"
    page = consumer.with_name("templates") / "web" / "ticker.html"
    original = consumer.read_text()
    mine = original.replace("200", "300")
    consumer.write_text(mine)
    page.unlink()

    said = project.manage("startsocket", "web", "ticker", "--no-input")
    assert "kept       apps/web/ticker.py" in said
    assert "created    apps/web/templates/web/ticker.html" in said
    assert project.manage("startsocket", "web", "ticker").count("kept") == 1
    assert "kept" in answer(project, "no")
    assert "kept" in answer(project, "")
    assert consumer.read_text() == mine

    said = answer(project, "yes")
    assert "apps/web/ticker.py was changed. Overwrite it? [y/N]" in said
    assert "overwrote  apps/web/ticker.py" in said
    assert consumer.read_text() == original


def answer(project: Project, text: str) -> str:
    """Run the command at a terminal and answer its one question."""
    terminal, its_side = pty.openpty()
    process = subprocess.Popen(
        [project.python, "manage.py", "startsocket", "web", "ticker"],
        cwd=project.path,
        env=environment(NOTHING),
        stdin=its_side,
        stdout=its_side,
        stderr=its_side,
    )
    os.close(its_side)
    said = ""
    while "[y/N]" not in said:
        said += os.read(terminal, 1024).decode()
    os.write(terminal, f"{text}\n".encode())
    try:
        while some := os.read(terminal, 1024):
            said += some.decode()
    except OSError:  # the other side is closed
        pass
    os.close(terminal)
    assert process.wait(10) == 0, said
    return said


def test_routes_in_a_form_of_ones_own_are_left_alone(kitchen: Kitchen) -> None:
    project = kitchen.bake({"include_chat_demo": False})
    routes = project.path / "config" / "channels_urls.py"
    routes.write_text(
        "from django.urls import path\n\n"
        "from apps.web.consumers import PingConsumer\n\n"
        "ROUTES = {'ping': PingConsumer}\n"
        "websocket_urlpatterns = [path(f'ws/{k}/', v.as_asgi(), name=f'ws_{k}') "
        "for k, v in ROUTES.items()]\n"
    )
    before = routes.read_text()
    said = project.manage("startsocket", "web", "ticker")
    assert routes.read_text() == before
    assert "config/channels_urls.py is left alone" in said
    item = 'path("ws/ticker/", TickerConsumer.as_asgi(), name="ws_ticker"),'
    assert item in said
    assert "from apps.web.ticker import TickerConsumer" in said
    assert "ticker_page" in (project.path / "apps" / "web" / "urls.py").read_text()
