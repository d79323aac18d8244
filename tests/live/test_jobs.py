"""The recipes of docs/jobs.md, typed into a project, at work in browsers."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from baking import Kitchen, Project, Variables, assert_all_passed, environment
from fleet import wait_until
from keys import UUID, give_keys
from people import Person
from playwright.sync_api import Browser, Locator, expect
from readmes import section
from recipes import (
    assert_is_model,
    blocks,
    client_of,
    count_lines,
    model_of,
    type_page,
)
from serving import end, free_port, serve
from shells import Shell
from sites import Site, runserver, serve_project

Invite = Callable[[str], Person]

# An export of which much is done, so that it does not take as long.
BEGIN = """
from apps.exports.live import run_export
from apps.exports.models import Export
from apps.users.models import User
user = User.objects.create_user("ada")
Export.objects.create(user=user, done=60)
run_export.enqueue(user.pk)
"""
STATE = """
import json
from apps.exports.models import Export
from django_ox.models import OxTask
job = OxTask.objects.get()
print(json.dumps([Export.objects.get().done, job.status, job.attempts]))
"""
# Jobs that note when they begin.
OTHERS = """import time
from pathlib import Path

from django.tasks import task


def note(path: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{time.time()}\\n")


@task
def leave() -> None:
    raise SystemExit


@task
def fail(path: str) -> None:
    note(path)
    raise OSError("the printer is on fire")


@task
def linger(path: str) -> None:
    note(path)
    time.sleep(40)
"""
LEAVE = """
from apps.exports.others import leave
leave.enqueue()
leave.enqueue()
"""
ENQUEUE = """
from apps.exports import others
others.{job}.enqueue({path!r})
"""
RESULT = """
import json
from django_ox.models import OxTask
job = OxTask.objects.get()
print(json.dumps([job.status, job.attempts]))
"""
SHORT_LEASES = """from config.settings import *

TASKS["default"]["OPTIONS"]["LOCK_TIMEOUT"] = 2
"""
# Jobs of a worker that died begin anew after two seconds, not after thirty.
WORKER = ("manage.py", "ox_worker", "--interval", "0.1", "--lock-timeout", "2")


@pytest.fixture(scope="module")
def project(kitchen: Kitchen) -> Project:
    project = kitchen.bake({"include_chat_demo": False})
    type_page(project, "jobs.md")
    (project.path / "apps" / "exports" / "others.py").write_text(OTHERS)
    (project.path / "config" / "short_leases.py").write_text(SHORT_LEASES)
    return project


@pytest.fixture(scope="module")
def site(project: Project) -> Iterator[Site]:
    with serve_project(project) as site:
        yield site


@pytest.fixture
def come(browser: Browser, site: Site) -> Iterator[Invite]:
    people: list[Person] = []

    def come(name: str) -> Person:
        people.append(site.invite(browser, name))
        people[-1].page.goto("/")
        return people[-1]

    yield come
    for person in people:
        person.context.close()
    assert [person.complaints for person in people if person.complaints] == []


@pytest.mark.parametrize(
    ("page", "heading", "most"),
    [
        ("live", "A bell", 15),
        ("jobs", "A job with progress", 30),
        ("jobs", "An answer that streams", 50),
        ("json", "Orders on a phone", 30),
    ],
)
def test_they_are_as_short_as_is_said(
    project: Project, page: str, heading: str, most: int
) -> None:
    recipe = section(project.path / "docs" / f"{page}.md", heading)
    written = blocks(recipe)
    assert most / 2 < count_lines(*written) <= most
    assert_is_model(model_of(recipe))
    said = str(most)
    if page == "json":
        said += f", and a client of {count_lines(client_of(recipe))}"
    else:
        assert "<script" not in recipe
    assert max(len(line) for text in written for line in text.split("\n")) <= 100
    link = f"{page}.md#{heading.lower().replace(' ', '-')}"
    readme = (project.path / "README.md").read_text("utf-8")
    assert f"(docs/{link}) | {said} |" in readme


def test_their_own_tests_pass(project: Project) -> None:
    done = project.run("pytest", "-q", "apps/exports", "apps/assistant")
    assert_all_passed(done.stdout)
    project.run("ruff", "check", "--no-cache", "apps")


@pytest.mark.deep
def test_they_are_right_for_users_with_uuids(
    kitchen: Kitchen, mypy_cache: Variables
) -> None:
    project = kitchen.bake({})
    give_keys(project, *UUID)
    type_page(project, "jobs.md")
    apps = project.path / "apps"
    for path in (apps / "exports" / "live.py", apps / "assistant" / "live.py"):
        text = path.read_text().replace("key: int", "key: UUID")
        text = text.replace("user: int", "user: str")
        path.write_text(
            text.replace("import Any\n", "import Any\nfrom uuid import UUID\n")
        )
    done = project.run("pytest", "-q", "apps/exports", "apps/assistant")
    assert_all_passed(done.stdout)
    project.run("mypy", "apps/exports", "apps/assistant", env=mypy_cache)


def test_a_bar_fills_on_all_pages_of_a_person(come: Invite) -> None:
    ada, tab, bob = come("ada"), come("ada"), come("bob")
    ada.page.get_by_role("button", name="Export").click()
    for person in (ada, tab):
        expect(bar(person)).to_have_attribute("value", re.compile("[1-9]"))
    ada.page.reload()
    before = int(bar(ada).get_attribute("value") or 0)
    assert 0 < before < 100
    for person in (ada, tab):
        expect(bar(person)).not_to_have_attribute("value", str(before))
    expect(bar(bob)).to_have_count(0)
    is_accessible(ada)


def bar(person: Person) -> Locator:
    return person.page.get_by_role("progressbar", name="Export")


def is_accessible(person: Person) -> None:
    results = Axe().run(person.page)
    assert results.violations_count == 0, results.generate_report()


def test_an_answer_streams_through_a_reload_until_it_is_stopped(come: Invite) -> None:
    bob = come("bob")
    answer = bob.page.locator("live-region p")
    field = bob.page.get_by_label("Question")
    field.fill("What is the answer?")
    button = bob.page.get_by_role("button", name="Ask")
    above, below = field.bounding_box(), button.bounding_box()
    assert above
    assert below
    assert below["y"] - above["y"] - above["height"] > 5  # a gap
    button.click()
    expect(answer).to_have_text(re.compile("^You asked:"))
    before = answer.inner_text()
    expect(answer).not_to_have_text(before)
    bob.page.reload()
    expect(answer).to_have_text(re.compile(f"^{re.escape(before)} ?\\w"))
    bob.page.get_by_role("button", name="Stop").click()
    expect(answer).to_have_attribute("aria-busy", "false")
    stopped = answer.inner_text()
    bob.page.wait_for_timeout(600)
    assert answer.inner_text() == stopped
    assert "know" not in stopped

    bob.page.get_by_label("Question").fill("Why?")
    bob.page.get_by_role("button", name="Ask").click()
    expect(answer).to_have_text("You asked: Why? That is all I know.")
    expect(answer).to_have_attribute("aria-busy", "false")
    is_accessible(bob)


@pytest.mark.deep
def test_a_job_that_would_end_the_server_ends_no_thread(
    come: Invite, site: Site
) -> None:
    site.shell.run(LEAVE)
    wait_until(lambda: site.server.log.count("SystemExit") == 2, "both threads had it")
    eve = come("eve")
    eve.page.get_by_role("button", name="Export").click()
    expect(bar(eve)).to_have_attribute("value", re.compile("[1-9]"), timeout=20_000)


def test_a_page_says_that_a_job_is_lost_whose_workers_crashed(
    project: Project, browser: Browser, tmp_path: Path
) -> None:
    env = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "JOBS_IN_WEB": "false",
    }
    with serve_project(project, env=env) as site:
        ada = site.invite(browser, "ada")
        ada.page.goto("/")
        ada.page.get_by_role("button", name="Export").click()
        ada.page.wait_for_load_state()
        before = "0"
        for _ in range(3):
            moved = re.compile(rf"^(?!{before}$)")
            with working(project, env) as worker:
                expect(bar(ada)).to_have_attribute("value", moved, timeout=30_000)
                worker.kill()
                worker.wait(10)
            ada.page.wait_for_timeout(1_500)  # what it stored last arrives
            before = bar(ada).get_attribute("value") or ""
        failed = ada.page.get_by_role("alert")
        expect(failed).to_have_count(0)
        with working(project, env):
            expect(failed).to_have_text("The export failed.", timeout=30_000)
        assert json.loads(site.shell.run(STATE))[1:] == ["LOST", 3]
        assert ada.complaints == []
        ada.context.close()


@contextmanager
def working(
    project: Project, env: Variables, log: Path | None = None
) -> Iterator["Popen[bytes]"]:
    with log.open("w") if log else nullcontext() as output:
        process = Popen(
            [project.python, *WORKER],
            cwd=project.path,
            env=environment(env),
            stdin=DEVNULL,
            stderr=output,
            process_group=0,
        )
    try:
        yield process
    finally:
        end(process)


def test_a_job_survives_the_ends_of_its_workers(
    project: Project, tmp_path: Path, note: Callable[[str], None]
) -> None:
    env = {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}", "DEBUG": "false"}
    with Shell(project, env) as shell:

        def state() -> Any:
            return json.loads(shell.run(STATE))

        shell.migrate()
        shell.run(BEGIN)
        with working(project, env) as worker:
            wait_until(lambda: state()[0] > 65, "it works")
            worker.kill()
            worker.wait(10)
        killed, *rest = state()
        assert 65 < killed < 100
        assert rest == ["RUNNING", 1]
        with working(project, env) as worker:
            took = wait_until(lambda: state()[0] > killed, "another goes on")
            assert state()[1:] == ["RUNNING", 2]
            worker.terminate()
            assert worker.wait(60) == 0
        assert state() == [100, "SUCCESSFUL", 2]
    note(f"job of a killed worker went on in another {took:.1f} s after its start")


@pytest.mark.parametrize("how", ["end", "reload"])
def test_a_job_survives_the_end_of_its_server(
    project: Project, sqlite: Variables, how: str
) -> None:
    env = {**sqlite, "DJANGO_SETTINGS_MODULE": "config.short_leases"}
    port = free_port()
    command = runserver(project, port)
    if how == "reload":
        command.remove("--noreload")
    with Shell(project, env) as shell:

        def state() -> Any:
            return json.loads(shell.run(STATE))

        shell.migrate()
        with ExitStack() as servers:
            start = partial(serve, command, cwd=project.path, port=port, env=env)
            servers.enter_context(start())
            shell.run(BEGIN)
            wait_until(lambda: state()[0] > 65, "it works")
            if how == "reload":
                (project.path / "apps" / "exports" / "live.py").touch()
            else:
                servers.close()
                before, *rest = state()
                assert before < 100
                assert rest == ["RUNNING", 1]
                servers.enter_context(start())
            wait_until(lambda: state() == [100, "SUCCESSFUL", 2], "another goes on", 60)


def test_a_job_that_raises_is_tried_twice_more(
    project: Project, sqlite: Variables, tmp_path: Path
) -> None:
    begun, log = tmp_path / "begun", tmp_path / "worker.log"
    with Shell(project, sqlite) as shell:
        shell.migrate()
        shell.run(ENQUEUE.format(job="fail", path=str(begun)))
        with working(project, sqlite, log):
            wait_until(lambda: "FAILED" in shell.run(RESULT), "it has failed", 60)
        assert json.loads(shell.run(RESULT)) == ["FAILED", 3]
    first, second, third = map(float, begun.read_text().split())
    assert 5 <= second - first < 9
    assert 10 <= third - second < 14
    said = log.read_text()
    for number in (1, 2):
        assert (
            f"attempt {number}/3 failed (OSError); retrying in {5 * number}.0s" in said
        )
    assert "failed after 3/3 attempts (OSError)" in said


@pytest.mark.deep
def test_a_job_that_outlasts_a_deployment_begins_anew(
    project: Project, sqlite: Variables, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"

    def count() -> int:
        return len(begun.read_text().split()) if begun.exists() else 0

    with Shell(project, sqlite) as shell:
        shell.migrate()
        shell.run(ENQUEUE.format(job="linger", path=str(begun)))
        with working(project, sqlite) as worker:
            wait_until(lambda: count() == 1, "it has begun")
            worker.terminate()
            # As long as systemd and Compose wait before they kill it.
            with pytest.raises(TimeoutExpired):
                worker.wait(20)
            worker.kill()
            worker.wait(10)
        assert json.loads(shell.run(RESULT)) == ["RUNNING", 1]
        with working(project, sqlite):
            wait_until(lambda: count() == 2, "another begins it anew")
