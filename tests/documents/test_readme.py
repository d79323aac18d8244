"""What the two READMEs tell people to type works, as it is written."""

import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from baking import Kitchen, Variables, assert_all_passed, run
from playwright.sync_api import Browser, expect
from readmes import code, section, type_and_serve, type_in
from serving import Server, Visitor, free_port, serve

# Files that work on a project leaves behind, and the parts of `startsocket`.
MADE = re.compile(r"sqlite3|_cache|__pycache__|uv\.lock|channels_live/startsocket/")
BROKEN_UV = "#!/bin/sh\necho 'pyenv: uv: command not found' >&2\nexit 127\n"


def assert_at_work(server: Server) -> None:
    """The site answers, and its WebSockets do."""
    visitor = Visitor(server)
    assert visitor.get("/").ok
    assert visitor.get("/accounts/signup/").ok
    with visitor.connect("/ws/ping/") as socket:
        socket.send("x")
        assert socket.recv(timeout=10) == "x"


@pytest.fixture
def clone(kitchen: Kitchen, tmp_path: Path) -> Path:
    """This repository, as a stranger has it after `git clone`."""
    clone = tmp_path / "cookiecutter-django-channels"
    shutil.copytree(kitchen.template, clone)
    run("git", "init", "--quiet", cwd=clone)
    run("git", "add", ".", cwd=clone)
    return clone


@pytest.fixture
def fresh_machine(tmp_path: Path) -> Variables:
    """Python and make, and a uv that is a version manager's empty promise."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    (folder / "uv").write_text(BROKEN_UV)
    (folder / "uv").chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_make_demo_on_a_fresh_machine(clone: Path, fresh_machine: Variables) -> None:
    (block, *_) = code(section(clone / "README.md", "Try it"), "sh")
    assert block == "make demo\n"
    with type_and_serve(block, clone, fresh_machine) as server:
        assert_at_work(server)
        assert f"Open http://localhost:{server.port}" in server.log
        found = re.search(r"password (\w+) as\n  ada", server.log)
        assert found
        refused = run(
            *("make", "demo"),
            cwd=clone,
            env={**fresh_machine, "PORT": str(server.port)},
            ok=False,
        )
        assert refused.returncode != 0
        assert f"Port {server.port} cannot be used" in refused.stderr
        assert "Traceback" not in refused.stderr
    # Again, with the people of the first time.
    with type_and_serve(block, clone, fresh_machine) as server:
        visitor = Visitor(server)
        visitor.log_in("ada", found[1])
        assert "The staging server is back." in visitor.get("/chat/lobby/").text
    assert run("git", "status", "--porcelain", cwd=clone).stdout.count("??") == 0


def test_using_the_template(clone: Path, tmp_path: Path) -> None:
    (block,) = code(section(clone / "README.md", "Use it"), "sh")
    block = block.replace("gh:ORG/cookiecutter-django-channels", str(clone))
    with type_and_serve(f"yes '' | {block}", tmp_path) as server:  # Enter, each time
        assert_at_work(server)


@pytest.mark.parametrize("number", [0, 1], ids=["make", "uv"])
def test_running_the_tests(clone: Path, number: int) -> None:
    block = code(section(clone / "README.md", "Work on it"), "sh")[number]
    # All of them would include this one.
    env = {"PYTEST_ADDOPTS": "-k the_default_slug_follows"}
    assert re.search(r"\d+ passed", type_in(block, clone, env))


def test_the_table_lists_every_prompt(clone: Path) -> None:
    rows = re.findall(r"^\| (`.*?) \|", section(clone / "README.md", "Use it"), re.M)
    listed = re.findall(r"`(\w+)`", " ".join(rows))
    prompts = re.findall(
        r'^  "([a-z]\w+)": ', (clone / "cookiecutter.json").read_text(), re.M
    )
    assert listed == prompts


def test_starting_and_testing_a_project_with_uv(
    kitchen: Kitchen, note: Callable[[str], None]
) -> None:
    project = kitchen.write({})
    readme = project / "README.md"
    with type_and_serve(code(section(readme, "Start"), "sh")[0], project) as server:
        assert_at_work(server)
    (block,) = code(section(readme, "Test"), "sh")
    tests, _, others = block.partition("\n")
    start = time.perf_counter()
    assert_all_passed(type_in(tests, project))
    seconds = time.perf_counter() - start
    note(f"suite of a generated project: {seconds:.1f} s")
    assert seconds < 90  # beside others
    type_in(others, project)


def test_starting_a_project_with_pip(
    kitchen: Kitchen, fresh_machine: Variables
) -> None:
    project = kitchen.write({"include_chat_demo": False})
    block = code(section(project / "README.md", "Start"), "sh")[1]
    block = block.replace("python -m venv", "python3 -m venv")
    with type_and_serve(block, project, fresh_machine) as server:
        assert_at_work(server)


def test_deploying_a_project(
    kitchen: Kitchen, postgres: dict[str, str], redis_url: str, server_name: str
) -> None:
    project = kitchen.write({"asgi_server": server_name})
    (project / ".env").unlink()
    run("uv", "lock", cwd=project)
    text = section(project / "README.md", "Deploy")
    named = re.findall(r"^\| `(\w+)`", text, re.M)
    env = {
        **postgres,
        "BEHIND_PROXY": "true",
        "EMAIL_URL": "smtp://127.0.0.1:9",
        "REDIS_URL": redis_url,
        "SECRET_KEY": "long-and-random-" * 4,
    }
    assert set(named) == set(env) - {"PGUSER"}
    env["ALLOWED_HOSTS"] = "127.0.0.1"
    (block,) = code(text, "sh")
    with type_and_serve(block, project, env) as server:
        visitor = Visitor(server)
        visitor.session.max_redirects = 0
        visitor.session.headers["X-Forwarded-Proto"] = "https"
        page = visitor.get("/")
        assert page.ok
        assert "Strict-Transport-Security" in page.headers
    assert not (project / ".venv" / "bin" / "pytest").exists()


def test_adding_a_websocket_endpoint(kitchen: Kitchen, browser: Browser) -> None:
    project = kitchen.bake({})
    path = project.path
    text = section(path / "README.md", "Add a WebSocket endpoint")
    (start,) = code(text, "sh")
    env = {"UV_PROJECT_ENVIRONMENT": str(project.venv), "UV_NO_SYNC": "1"}
    add_printed_routes(type_in(start, path, env), path)
    for name in re.findall(r"`([\w/]+\.\w+)`", text.partition("By hand")[0]):
        assert "ticker" in (path / name).read_text()
    (consumer, route) = code(text, "python")
    (tag,) = code(text, "html")
    (script,) = code(text, "js")
    (imported,) = re.findall(r"`(from \S+ import \w+)`", text)

    (path / "apps" / "web" / "shout.py").write_text(consumer)
    routes = path / "config" / "channels_urls.py"
    listed = "websocket_urlpatterns = [\n"
    text = routes.read_text().replace(listed, f"{listed}{route.strip()},\n")
    below = "from apps.web.ticker import"
    routes.write_text(text.replace(below, f"{imported}\n{below}"))
    home = path / "apps" / "web" / "templates" / "web" / "home.html"
    block = "{% block main %}\n"
    home.write_text(home.read_text().replace(block, block + tag, 1))
    (path / "apps" / "web" / "static" / "web" / "shout.js").write_text(script)

    project.run("ruff", "format", "--quiet", "--no-cache")
    project.run("ruff", "check", "--no-cache")
    project.manage("migrate")
    port = free_port()
    with serve(
        [str(project.python), "manage.py", "runserver", "--noreload", str(port)],
        cwd=path,
        port=port,
    ) as server:
        page = browser.new_page()
        page.goto(server.url)
        expect(page.locator("#shout")).to_have_text("HELLO")
        page.close()
    url = project.manage(
        *("shell", "--no-imports", "-c"),
        "from channels_live.utils import websocket_absolute_url, websocket_reverse;"
        "print(websocket_absolute_url(websocket_reverse('ws_shout')))",
    )
    assert url == "ws://localhost:8000/ws/shout/\n"
    printed = project.run("pytest", "-q", "apps/web/tests/test_ticker.py").stdout
    assert_all_passed(printed)


def add_printed_routes(printed: str, project: Path) -> None:
    """Add the routes that startsocket prints, each with its import."""
    lines = re.findall(r"^    (.*)$", printed, re.M)
    for name, listed, imported, route in (
        ("channels_urls", "websocket_urlpatterns = [\n", *lines[:2]),
        ("urls", "urlpatterns = [\n", *lines[2:4]),
    ):
        file = project / "config" / f"{name}.py"
        text = file.read_text()
        assert text.count(f"\n{listed}") == 1
        before, _, after = text.partition(f"\n{listed}")
        # Imports of this project come last.
        gap = "" if "from apps." in before else "\n"
        before = f"{before.rstrip()}\n{gap}{imported}\n"
        file.write_text(f"{before}\n{listed}    {route}\n{after}")


@pytest.mark.parametrize("chat_client", ["htmx", "javascript"])
def test_removing_the_demo(kitchen: Kitchen, chat_client: str) -> None:
    project = kitchen.bake({"chat_client": chat_client, "domain_name": "chat.example"})
    path = project.path
    env = {"UV_PROJECT_ENVIRONMENT": str(project.venv), "UV_NO_SYNC": "1"}
    project.manage("migrate")
    (block,) = code(section(path / "README.md", "Remove the chat demo"), "sh")
    for found in reversed(
        re.findall(r"^([\w./]+):(\d+):", type_in(block, path, env), re.M)
    ):
        delete_line(path / found[0], int(found[1]))
    delete_section(path / "README.md", "Remove the chat demo")
    project.run("ruff", "format", "--no-cache")
    project.run("ruff", "check", "--no-cache")
    assert "No changes detected" in project.manage("makemigrations", "--check")
    if chat_client == "htmx":  # of the other, nothing else is left
        done = project.run("pytest", "-q", "-p", "no:cacheprovider")
        assert_all_passed(done.stdout)
    # It is what a project without the demo is: no comment stays, and no row of a table.
    without = kitchen.write({"include_chat_demo": False, "domain_name": "chat.example"})
    mine, theirs = lines_of(path), lines_of(without)
    assert sorted(mine) == sorted(theirs)
    for name in mine:
        assert mine[name] == theirs[name], name


def delete_line(file: Path, number: int) -> None:
    lines = file.read_text("utf-8").splitlines(keepends=True)
    del lines[number - 1]
    file.write_text("".join(lines), "utf-8")


def delete_section(readme: Path, heading: str) -> None:
    text = readme.read_text("utf-8")
    readme.write_text(text.replace(f"## {heading}\n{section(readme, heading)}", ""))


def lines_of(project: Path) -> dict[Path, list[bytes]]:
    """What stands in a project's files, but for gaps, keys and parts of startsocket."""
    return {
        file: [
            line
            for line in (project / file).read_bytes().splitlines()
            if line.strip() and not line.startswith(b"SECRET_KEY=")
        ]
        for path in project.rglob("*")
        if path.is_file() and not MADE.search(str(file := path.relative_to(project)))
    }
